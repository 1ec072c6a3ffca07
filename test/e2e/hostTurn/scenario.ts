import type { Scenario } from '../../support/workbench/scenario.js';

/** Measured by `npm run bench -- extensionHostTurn`; no part of `npm test`, which times nothing. */
export const scenario: Scenario = {
  phases: ['turn'],
  onlyByName: true,
  workspace: 'test/fixtures/parcels',
  git: true,
  models: 'none',
  settings: () => ({ 'loupe.inline.enabled': false }),
};
