import type { Scenario } from '../../support/workbench/scenario.js';

/** Previews, decisions and their effects on disk, with an endpoint that plays the model: what it proposes is known to the letter. */
export const scenario: Scenario = {
  phases: ['decisions', 'judge', 'commands', 'undo', 'looks', 'afterReload'],
  workspace: 'test/fixtures/parcels',
  git: true,
  models: 'none',
  settings: () => ({ 'loupe.inline.enabled': false }),
};
