import type { Scenario } from '../../support/workbench/scenario.js';

/** Other assistants: the editor's own chat and list of MCP servers, and a client that the window knows nothing of. */
export const scenario: Scenario = {
  phases: ['builtinChat', 'clients'],
  workspace: 'test/fixtures/parcels',
  git: true,
  models: 'none',
  // Without models of another vendor that the user has set up the built-in chat asks for a login.
  userFiles: { 'chatLanguageModels.json': [{ vendor: 'loupe-tests', name: 'Loupe tests' }] },
  settings: () => ({ 'loupe.inline.enabled': false, 'files.autoSave': 'off' }),
};
