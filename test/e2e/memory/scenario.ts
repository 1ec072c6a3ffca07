import type { Scenario } from '../../support/workbench/scenario.js';

/** A small repository, remembered by the smallest chat model; then a new window with a sidecar that has read nothing. */
export const scenario: Scenario = {
  phases: ['warm', 'restored'],
  workspace: 'test/fixtures/greenhouse',
  git: true,
  settings: ({ models }) => ({
    'loupe.model.chat': `${models}/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf`,
    'loupe.model.contextSize': 8192,
    'loupe.model.gpu': 'off', // the graphics processors of virtual machines are emulated, and slow or wrong
    'loupe.inline.enabled': false,
    'loupe.memory.enabled': true,
    'workbench.hover.delay': 100,
  }),
  timeoutSeconds: 1800,
};
