import type { Scenario } from '../../support/workbench/scenario.js';

export const scenario: Scenario = { phases: ['activation', 'afterReload'], models: 'none' };
