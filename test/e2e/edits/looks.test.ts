import * as vscode from 'vscode';
import { screenshot } from '../../support/workbench/page.js';
import type { ScriptedServer } from '../../support/model/scriptedServer.js';
import { answered, ask, chat, openChat, setUserSettings, trace } from '../support/chatPage.js';
import { useScriptedModel } from '../support/scriptedModel.js';

const answer = 'A shop is called at most **7 times**, see `src/config/webhookDelivery.ts`:\n\n```ts\nexport const webhookDelivery = {\n  maxAttempts: 7,\n  firstPauseMs: 250,\n};\n```\n\n1. The first pause is 250 ms.\n2. Each one doubles.\n';

suite('pictures in three themes (scripted endpoint)', function () {
  this.timeout(60_000);
  let server: ScriptedServer;

  suiteSetup(async () => {
    server = await useScriptedModel((messages) => {
      const results = messages.filter((m) => m.role === 'tool').length;
      if (results === 0) return { call: 'search_text', arguments: { pattern: 'webhook' } };
      return results === 1 ? { call: 'read_file', arguments: { path: 'src/config/webhookDelivery.ts' } } : { text: answer };
    });
    await vscode.commands.executeCommand('loupe.newChat');
    await openChat();
    await ask('How often is a shop called that does not answer?');
    await answered();
    await vscode.commands.executeCommand('loupe.showTrace');
    await trace.waitFor('body');
  });
  suiteTeardown(() => server.close());

  for (const [name, theme] of [['light', 'Light Modern'], ['dark', 'Dark Modern'], ['high-contrast', 'Default High Contrast']] as const) {
    test(name, async () => {
      await setUserSettings({ 'workbench.colorTheme': theme });
      await chat.waitFor('.markdown');
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await screenshot(`theme-${name}`);
    });
  }

  test('an approval waits when the window is closed', async () => {
    await setUserSettings({ 'workbench.colorTheme': 'Dark Modern' });
    await server.close();
    server = await useScriptedModel(() => ({ call: 'propose_edit', arguments: { path: 'src/config/webhookDelivery.ts', old: 'maxAttempts: 7', new: 'maxAttempts: 99' } }));
    await ask('Change it.');
    await chat.waitFor('button[data-approval]');
  });
});
