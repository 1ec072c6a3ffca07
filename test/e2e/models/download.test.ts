import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { catalogueEntry } from '../../../src/model/catalogue.js';
import { sha256File } from '../../../src/model/verify.js';
import { press, screenshot, workbench } from '../../support/workbench/page.js';
import { answered, ask, chat, modelTimeout, openChat, setUserSettings, until } from '../support/chatPage.js';
import { type ModelMirror, modelMirror } from '../support/modelMirror.js';
import { clearNotices, noticeWith, pressInNotice } from '../support/notices.js';

function known(id: string): NonNullable<ReturnType<typeof catalogueEntry>> {
  const entry = catalogueEntry(id);
  assert.ok(entry);
  return entry;
}

const coder = known('qwen2.5-coder-0.5b');
const other = known('gemma-3-270m-it');
const held = 200_000_000;

suite('download of a model through the list (mirror on this machine, real 0.5B model)', function () {
  this.timeout(modelTimeout);
  let mirror: ModelMirror;
  const folder = (): string => vscode.workspace.getConfiguration().get('loupe.model.directory', '');
  const inFolder = (): string[] => readdirSync(folder()).filter((name) => !name.startsWith('.')).sort();
  /** A download gives its lock back last: after its file has its name, and before it says how it went. */
  const ended = (file: string): Promise<void> => until(() => !existsSync(join(folder(), `${file}.lock`)), 'the download has ended', 60_000);
  const requests = (file: string): ModelMirror['requests'] => mirror.requests.filter(({ path }) => path.endsWith(file));

  /** By keyboard: opens the list, types a part of the name, takes the first match. */
  const choose = async (name: string): Promise<void> => {
    void vscode.commands.executeCommand('loupe.chooseModel');
    await workbench.waitFor(`.quick-input-widget .monaco-list-row:has-text("${name}")`, { timeout: 30_000 });
    await workbench.fill('.quick-input-widget input[type="text"]', name);
    await workbench.waitFor(`.quick-input-widget .monaco-list-row.focused:has-text("${name}")`);
    await press('Enter');
  };

  suiteSetup(async () => {
    mkdirSync(folder(), { recursive: true });
    mirror = await modelMirror({ [other.file]: other.sizeBytes });
    await setUserSettings({ 'loupe.model.mirror': `${mirror.origin}/hub`, 'loupe.model.chat': 'auto' });
    await openChat();
    await chat.waitFor('.obstacle:has-text("No chat model is installed")', { timeout: 30_000 });
  });
  suiteTeardown(() => mirror.close());

  test('what is not the published file is thrown away, and said with a next step', async () => {
    await choose(other.name);
    const said = await noticeWith('is not the published file', 60_000);
    await screenshot('download-wrong');
    // It stands there still, and keeps nobody from the next download.
    assert.match(said, /thrown away/);
    assert.match(said, new RegExp(`Try again.*${new URL(mirror.origin).host}`, 's'));
    assert.match(said, /Choose Model/);
    assert.deepEqual(inFolder(), []);
  });

  test('shows its progress; cancelled in the middle, what arrived is kept', async () => {
    mirror.holdAt = held;
    await choose(coder.name);
    await until(() => (statSync(join(folder(), `${coder.file}.part`), { throwIfNoEntry: false })?.size ?? 0) >= held, 'the mirror holds', 30_000);
    assert.match(await noticeWith('MB of 491 MB'), new RegExp(`Downloading ${coder.name}: \\d+ MB`));
    await chat.waitFor('.model-pill.downloading:has-text("%")');
    await screenshot('download-progress');
    assert.equal(requests(coder.file)[0]?.path, `/hub${new URL(coder.url ?? '').pathname}`);
    await pressInNotice('Downloading', 'Cancel');
    await workbench.waitFor('.notifications-center .notification-list-item:has-text("Downloading")', { state: 'detached' });
    await ended(coder.file);
    assert.deepEqual(inFolder(), [`${coder.file}.part`, `${coder.file}.part.json`]);
    assert.ok(statSync(join(folder(), `${coder.file}.part`)).size >= held);
    await chat.waitFor('.obstacle button:has-text("Choose Model")');
    await screenshot('download-cancelled');
  });

  test('started again it goes on there, is checked, and takes the model into use', async () => {
    const kept = statSync(join(folder(), `${coder.file}.part`)).size;
    mirror.holdAt = Infinity;
    await clearNotices(); // Escape would close them, and leave the list open
    void vscode.commands.executeCommand('loupe.chooseModel');
    await workbench.waitFor(`.quick-input-widget .monaco-list-row:has-text("${coder.name}"):has-text("200 MB are here already")`, { timeout: 30_000 });
    await press('Escape');
    await workbench.waitFor('.quick-input-widget', { state: 'hidden' }); // else the name is typed into this list
    await choose(coder.name);
    await until(() => existsSync(join(folder(), coder.file)), 'the file is there', 60_000);
    await ended(coder.file);
    assert.equal(requests(coder.file).at(-1)?.headers.range, `bytes=${kept}-`);
    assert.deepEqual(inFolder(), [coder.file]);
    assert.equal(await sha256File(join(folder(), coder.file), () => undefined, new AbortController().signal), coder.sha256);
    await chat.waitFor('.model-pill.ready:has-text("0.5B")', { timeout: 60_000 });
    await clearNotices(); // it lies over the input
    await ask('Say hello. Use no tools.');
    const text = await answered();
    await screenshot('download-in-use');
    assert.match(text, /hello/i);
    assert.match(text, /answered/i);
  });

  test('the list has it among the installed ones, and no longer among the downloads', async () => {
    void vscode.commands.executeCommand('loupe.chooseModel');
    await workbench.waitFor(`.quick-input-widget .monaco-list-row:has-text("${coder.name}")`, { timeout: 30_000 });
    await screenshot('download-list');
    assert.equal(await workbench.count(`.quick-input-widget .monaco-list-row:has-text("${coder.name}"):has-text("download,")`), 0);
    await press('Escape');
  });
});
