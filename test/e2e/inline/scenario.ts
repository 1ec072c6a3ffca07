import path from 'node:path';
import type { Scenario } from '../../support/workbench/scenario.js';

export const scenario: Scenario = {
  phases: ['suggestions'],
  workspace: 'test/fixtures/inline',
  timeoutSeconds: 420,
  settings: ({ models }) => ({
    'loupe.model.completion': path.join(models, 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf'),
    'loupe.model.gpu': 'off',
    'editor.inlineSuggest.enabled': true,
    'editor.quickSuggestions': { other: 'off', comments: 'off', strings: 'off' },
  }),
};
