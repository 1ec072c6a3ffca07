import type { Scenario } from '../../support/workbench/scenario.js';

/** Two folders in one window that have a file under the same path: what is said about one must never touch the other. */
export const scenario: Scenario = {
  phases: ['folders', 'afterReload'],
  workspace: 'test/fixtures/parcels',
  alsoOpen: { warehouse: 'test/fixtures/warehouse' },
  git: true,
  models: 'none',
  settings: () => ({ 'loupe.inline.enabled': false, 'git.openRepositoryInParentFolders': 'never' }),
};
