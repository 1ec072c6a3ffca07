import type { Scenario } from '../../support/workbench/scenario.js';

/** The real chat: Qwen2.5-Coder 1.5B in the sidecar, a repository whose answer is in one of seven files. */
export const scenario: Scenario = {
  phases: ['question', 'afterReload', 'edits', 'crash', 'looks'],
  git: true,
  settings: ({ models }) => ({
    'loupe.model.chat': `${models}/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf`,
    'loupe.model.contextSize': 8192,
    'loupe.inline.enabled': false,
  }),
  timeoutSeconds: 420,
};
