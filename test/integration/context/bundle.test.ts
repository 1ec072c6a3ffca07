import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Result } from '../../../src/base/result.js';
import { contextRequests, type IndexState, type MemoryPlan } from '../../../src/protocol/context.js';
import { configuration, Editor } from '../../support/languageServer/editor.js';
import { completionModel, RealSidecar } from '../../support/languageServer/realSidecar.js';
import { root } from '../../support/workbench/paths.js';

/** The bundled language server with the packaged grammars, and the tokenizer of a real model. */
suite('context: bundled language server', function () {
  this.timeout(240_000);
  const folder = path.join(root, 'test', 'fixtures', 'parcels');
  let sidecar: RealSidecar;
  let editor: Editor;
  let storage: string;
  const start = async (): Promise<void> => {
    editor = await Editor.spawn(path.join(root, 'dist', 'languageServer', 'main.cjs'), {
      sidecar: sidecar.address, configuration: { ...configuration, model: completionModel }, context: { grammars: path.join(root, 'dist', 'grammars'), storage },
    }, pathToFileURL(folder).href);
    await editor.show('file:///parcels/warm.ts', 'typescript', '');
    await editor.status('ready');
  };
  suiteSetup(async () => {
    storage = fs.mkdtempSync(path.join(os.tmpdir(), 'loupe-bundle-'));
    sidecar = await RealSidecar.start();
    await start();
  });
  suiteTeardown(async () => {
    editor.dispose();
    await sidecar.stop();
    fs.rmSync(storage, { recursive: true, force: true });
  });
  const plan = async (budget: number): Promise<MemoryPlan> => {
    const answer = await editor.request(contextRequests.plan.method, { folder, role: 'completion', budget, keep: false }) as Result<MemoryPlan>;
    assert.ok(answer.ok, JSON.stringify(answer));
    return answer.value;
  };

  test('plans are counted by the model, and parsed by the packaged grammars', async () => {
    const whole = await plan(20_000);
    assert.equal(whole.mode, 'whole');
    assert.ok(whole.blocks.some((block) => block.path === 'src/server.ts'));
    for (const { text, tokens } of whole.blocks) {
      const counted = await sidecar.engine.tokenize('completion', [{ text, control: false }]);
      assert.ok(counted.ok && counted.value.tokens.length === tokens);
    }
    const all = await sidecar.engine.tokenize('completion', whole.blocks.map(({ text }) => ({ text, control: false })));
    assert.ok(all.ok && Math.abs(all.value.tokens.length - whole.tokens) <= whole.blocks.length, 'borders of blocks are borders of tokens');
    const map = await plan(1_500);
    assert.equal(map.mode, 'map');
    assert.match(map.blocks.map(({ text }) => text).join(''), /^ {2}(?:export )?(?:async )?(?:class|function|interface) \w+/m);
    assert.ok(map.tokens <= 1_500);
    const status = await editor.request(contextRequests.status.method, { folder }) as Result<IndexState>;
    assert.ok(status.ok && status.value.state === 'ready' && status.value.report.parsed > 5, JSON.stringify(status));
  });

  test('a new process gives the same bytes', async () => {
    const before = await plan(20_000);
    editor.dispose();
    await start();
    assert.deepEqual((await plan(20_000)).blocks, before.blocks);
  });
});
