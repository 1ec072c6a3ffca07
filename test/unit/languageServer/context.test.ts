import assert from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import { CancellationTokenSource } from 'vscode-languageserver/node';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import { ok, type Result } from '../../../src/base/result.js';
import { IndexService } from '../../../src/context/index/indexService.js';
import { MemoryStore } from '../../../src/context/store/indexStore.js';
import { contextNotifications, contextRequests, type IndexState, type MemoryPlan } from '../../../src/protocol/context.js';
import type { SidecarStatus } from '../../../src/protocol/sidecar.js';
import { Repository, textOf, treeSitter } from '../../support/context/repository.js';
import { Editor } from '../../support/languageServer/editor.js';
import { coder, ScriptedEngine } from './scriptedEngine.js';

class LoadedEngine extends ScriptedEngine {
  override status(): Promise<Result<SidecarStatus>> {
    return Promise.resolve(ok({ roles: { chat: { state: 'ready', model: coder }, completion: { state: 'empty' } } } as unknown as SidecarStatus));
  }
}

/** The real server over LSP in one process; the engine is scripted, the index real. */
suite('context: language server', () => {
  let repository: Repository;
  let editor: Editor;
  let removed: string[];
  setup(async () => {
    repository = await Repository.make({ 'a.ts': 'export function first(): void {}\n', 'b.ts': 'first();\n' });
    removed = [];
    editor = await Editor.start(new LoadedEngine(), {
      folder: pathToFileURL(repository.root).href,
      createIndex: (_, { files, openFiles }) => new IndexService({
        openStore: () => new MemoryStore(), removeStore: (root) => void removed.push(root), parser: treeSitter, files, openFiles, changeCounts: async () => new Map(), clock: systemClock, logger: silentLogger,
      }),
    });
  });
  teardown(() => {
    editor.dispose();
    repository.dispose();
  });
  const plan = async (params: Record<string, unknown> = {}): Promise<Result<MemoryPlan>> =>
    await editor.request(contextRequests.plan.method, { folder: repository.root, role: 'chat', budget: 8_000, keep: false, ...params }) as Result<MemoryPlan>;

  test('a plan is answered, counted by the tokenizer of the loaded model, with the state on the way', async () => {
    const states: IndexState['state'][] = [];
    editor.onNotification(contextNotifications.status.method, (status) => void states.push((status as IndexState).state));
    const answer = await plan();
    assert.ok(answer.ok, JSON.stringify(answer));
    assert.match(textOf(answer.value), /export function first/);
    assert.ok(answer.value.blocks.every(({ text, tokens }) => tokens === Math.ceil(text.length / 4)));
    assert.equal(states.at(-1), 'ready');
    const status = await editor.request(contextRequests.status.method, { folder: repository.root }) as Result<IndexState>;
    assert.ok(status.ok && status.value.state === 'ready');
  });

  test('a change that the editor tells of is in the next plan', async () => {
    const before = await plan();
    await repository.append('b.ts', 'export const added = 1;\n');
    await editor.notify('workspace/didChangeWatchedFiles', { changes: [{ uri: pathToFileURL(`${repository.root}/b.ts`).href, type: 2 }] });
    const after = await plan();
    assert.ok(before.ok && after.ok);
    assert.match(textOf(after.value), /added/);
    assert.equal(after.value.unchangedBlocks, before.value.blocks.length);
  });

  test('only folders of the workspace are read, and parameters are checked', async () => {
    for (const folder of ['/', `${repository.root}/..`, '']) {
      const answer = await plan({ folder });
      assert.ok(!answer.ok && answer.error.code === 'path.outsideWorkspace', folder);
    }
    assert.equal((await plan({ budget: -1 })).ok, false);
  });

  test('folders that come and go with the window are followed', async () => {
    const folder = { uri: pathToFileURL(repository.root).href, name: 'shop' };
    await editor.notify('workspace/didChangeWorkspaceFolders', { event: { added: [], removed: [folder] } });
    assert.equal((await plan()).ok, false);
    await editor.notify('workspace/didChangeWorkspaceFolders', { event: { added: [folder], removed: [] } });
    assert.equal((await plan()).ok, true);
  });

  test('without a loaded model there is no plan, and the error says so', async () => {
    const answer = await plan({ role: 'completion' });
    assert.ok(!answer.ok && answer.error.code === 'model.none');
  });

  test('a cancelled request is answered as cancelled', async () => {
    const source = new CancellationTokenSource();
    const asked = editor.request(contextRequests.plan.method, { folder: repository.root, role: 'chat', budget: 8_000, keep: false }, source.token) as Promise<Result<MemoryPlan>>;
    source.cancel();
    const answer = await asked;
    assert.ok(!answer.ok && answer.error.code === 'cancelled');
  });

  test('forgetting removes what is kept', async () => {
    await plan();
    assert.deepEqual(await editor.request(contextRequests.forget.method, { folder: repository.root }), { ok: true, value: null });
    assert.deepEqual(removed, [repository.root]);
  });
});
