import path from 'node:path';
import { root } from '../../support/workbench/paths.js';
import type { Scenario } from '../../support/workbench/scenario.js';

/** MCP servers whose tools the agent uses: a published one from the user's settings, and one that the workspace wants. */
export const scenario: Scenario = {
  phases: ['servers', 'afterReload'],
  workspace: 'test/fixtures/parcels',
  git: true,
  models: 'none',
  settings: () => ({
    'loupe.inline.enabled': false,
    'loupe.mcp.servers': { files: { command: process.execPath, args: [path.join(root, 'node_modules/@modelcontextprotocol/server-filesystem/dist/index.js'), '${workspaceFolder}'] } },
  }),
};
