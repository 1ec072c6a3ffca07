import type { Scenario } from '../../support/workbench/scenario.js';

/** A hostile repository that is not trusted: its settings ask for an endpoint, and nothing may come of it. */
export const scenario: Scenario = {
  phases: ['restricted'],
  trust: 'restricted',
  settings: () => ({ 'loupe.model.chat': 'endpoint' }),
};
