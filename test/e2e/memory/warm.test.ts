import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { press, screenshot, webview, workbench } from '../../support/workbench/page.js';
import { answered, ask, openChat, settled } from '../support/chatPage.js';
import { inThemes } from '../support/themes.js';
import { firstHop, isWarm, readingTimeout, statusItem, statusSays } from './memoryPage.js';

const report = webview('h1:has-text("Loupe: memory audit")');

suite('the repository is remembered (real 0.5B model)', function () {
  this.timeout(readingTimeout);
  /** Tokens that are remembered, as the audit says. */
  let remembered = NaN;

  test('once the model is loaded and nobody works, it is read in the background', async () => {
    await openChat();
    await statusSays('warming', 120_000);
  });

  test('the menu has what can be done about it; cancelled it stops, and begins again when it is told to', async () => {
    void vscode.commands.executeCommand('loupe.statusMenu'); // resolves when something is chosen
    await workbench.waitFor('.quick-input-widget .monaco-list-row:has-text("Cancel Remembering")');
    await settled();
    await screenshot('memory-menu-warming');
    await workbench.click('.quick-input-widget .monaco-list-row:has-text("Cancel Remembering")');
    await workbench.waitFor(`${statusItem}:not(:has-text("warming"))`);
    await vscode.commands.executeCommand('loupe.rememberRepository');
    await statusSays('warming', 60_000);
  });

  test('it becomes warm, and says how much that is', async () => {
    await workbench.waitFor(isWarm, { timeout: readingTimeout });
    await workbench.evaluate(`document.querySelector('${statusItem} a').dispatchEvent(new MouseEvent('mouseover', { bubbles: true }))`);
    await settled();
    await inThemes('memory-warm');
    await press('Escape');
  });

  test('the audit says what is remembered', async () => {
    await vscode.commands.executeCommand('loupe.auditMemory');
    await report.waitFor('h2:has-text("What is remembered of repositories")', { timeout: 30_000 });
    const rows = (await report.texts('tr')).map((row) => row.replaceAll('\t', ' | ').replaceAll('\u00a0', ' ').trim());
    const row = rows.find((text) => text.includes('Qwen2.5-Coder 0.5B Instruct | ') && text.includes('%'));
    assert.match(row ?? rows.join('\n'), /^\/\S+ \| Qwen2\.5-Coder 0\.5B Instruct \| \S+(?: \/ \S+)? \| [\d,]+ \| [\d.]+ MiB \| [\d.]+ MiB \| [\d.]+ MiB \| \d+ %$/);
    remembered = Number(row?.split(' | ')[3]?.replaceAll(',', ''));
    assert.match((await report.texts('p')).join('\n'), /On disk [\d.]+ MiB of at most 4\.00 GiB/);
    await report.evaluate(`[...document.querySelectorAll('h2')].at(-1).scrollIntoView()`);
    await inThemes('memory-audit-remembered');
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });

  test('a question in a new chat finds it in the cache', async () => {
    await vscode.commands.executeCommand('loupe.newChat');
    await openChat();
    await ask('What does the controller do? One sentence.');
    await answered();
    const hop = await firstHop();
    await vscode.commands.executeCommand('workbench.action.toggleMaximizedPanel');
    await inThemes('memory-trace-reused');
    await vscode.commands.executeCommand('workbench.action.toggleMaximizedPanel');
    assert.ok(remembered > 1_000 && hop.reused + hop.restored >= remembered - 1, `${hop.shown}; of ${remembered}`);
    assert.ok(hop.prefilled < 200, hop.shown);
  });

  test('an edit is read after a pause, and only that', async () => {
    const [folder] = vscode.workspace.workspaceFolders ?? [];
    assert.ok(folder);
    const file = vscode.Uri.joinPath(folder.uri, 'greenhouse', 'alarms.py');
    const text = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
    await vscode.workspace.fs.writeFile(file, new TextEncoder().encode(`${text}\nMOST_ALARMS = 12\n`));
    await statusSays('warming', 120_000);
    await workbench.waitFor(isWarm, { timeout: readingTimeout });
  });
});
