import type { Scenario } from '../../support/workbench/scenario.js';

/** The commands of editor, Source Control and trace, with an endpoint that plays the model: what reaches it is known to the letter. */
export const scenario: Scenario = {
  phases: ['commit', 'code', 'exportTrace', 'noGit'],
  workspace: 'test/fixtures/parcels',
  git: true,
  models: 'none',
  settings: () => ({ 'loupe.inline.enabled': false, 'git.openRepositoryInParentFolders': 'never' }),
};
