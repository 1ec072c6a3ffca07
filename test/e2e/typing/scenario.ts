import type { Scenario } from '../../support/workbench/scenario.js';

/** A question typed in two pieces, with Qwen2.5-Coder 0.5B in the sidecar. */
export const scenario: Scenario = {
  phases: ['typing'],
  workspace: 'test/fixtures/parcels',
  git: true,
  settings: ({ models }) => ({
    'loupe.model.chat': `${models}/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf`,
    'loupe.model.contextSize': 4096,
    'loupe.model.gpu': 'off',
    'loupe.agent.maxSteps': 1,
    'loupe.inline.enabled': false,
  }),
  timeoutSeconds: 900,
};
