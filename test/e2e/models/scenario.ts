import { dirname, join } from 'node:path';
import type { Scenario } from '../../support/workbench/scenario.js';

/** The smallest chat model in the sidecar, and the same model fetched from a mirror into an empty folder. */
export const scenario: Scenario = {
  phases: ['audit', 'download'],
  workspace: 'test/fixtures/parcels',
  settings: ({ models, workspace }) => ({
    'loupe.inline.enabled': false,
    'loupe.model.chat': `${models}/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf`,
    'loupe.model.contextSize': 4096,
    'loupe.model.directory': join(dirname(workspace), 'downloaded'),
  }),
};
