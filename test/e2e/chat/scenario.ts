import type { Scenario } from '../../support/workbench/scenario.js';

/** The real chat: Qwen2.5-Coder 1.5B in the sidecar, a repository whose answer needs a search and a look into what it found. */
export const scenario: Scenario = {
  phases: ['question', 'afterReload', 'crash'],
  workspace: 'test/fixtures/parcels',
  git: true,
  settings: ({ models }) => ({
    'loupe.model.chat': `${models}/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf`,
    'loupe.model.contextSize': 8192,
    'loupe.model.gpu': 'off', // the graphics processors of virtual machines are emulated, and slow or wrong
    'loupe.inline.enabled': false,
  }),
  timeoutSeconds: 900,
};
