import type { Scenario } from '../../support/workbench/scenario.js';

/** Everything that can be missing or broken: each must be said, with a next step, and lose nothing. */
export const scenario: Scenario = {
  phases: ['problems'],
  workspace: 'test/fixtures/parcels',
  models: 'none',
  env: ({ testModels }) => ({ LOUPE_E2E_MODELS: testModels }),
  settings: () => ({ 'loupe.inline.enabled': false }),
};
