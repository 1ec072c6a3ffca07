import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Logger } from '../../../src/base/logger.js';
import { type IndexStore, MemoryStore } from '../../../src/context/store/indexStore.js';
import { nodeSqlite, openStore } from '../../../src/context/store/sqliteStore.js';
import { removeStore } from '../../../src/context/store/storeFile.js';
import type { FileFacts } from '../../../src/context/symbols/facts.js';
import { Repository, textOf } from '../../support/context/repository.js';

const facts: FileFacts = { symbols: [{ name: 'a', kind: 'function', signature: 'function a()', depth: 0 }], references: [['other', 2]] };

suite('context: store', () => {
  let folder: string;
  let file: string;
  const lines: string[] = [];
  const logger: Logger = { log: (_, message) => void lines.push(message) };
  setup(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'loupe-store-'));
    file = path.join(folder, 'deep', 'index.sqlite');
    lines.length = 0;
  });
  teardown(() => fs.rmSync(folder, { recursive: true, force: true }));

  function behaves(store: IndexStore): void {
    store.write({ files: [{ path: 'a.ts', stamp: '1 2', hash: 'h1' }, { path: 'b.ts', stamp: '3', hash: 'h2' }], facts: [{ hash: 'h1', language: 'typescript', facts }, { hash: 'h2', language: 'typescript', facts }] });
    assert.deepEqual([...store.files().values()].map(({ path }) => path).sort(), ['a.ts', 'b.ts']);
    assert.deepEqual(store.facts('h1', 'typescript'), facts);
    assert.equal(store.facts('h1', 'tsx'), undefined);
    store.write({ gone: ['b.ts'] });
    store.prune();
    assert.equal(store.facts('h2', 'typescript'), undefined);
    assert.deepEqual(store.facts('h1', 'typescript'), facts);
    store.writeTokens('one', new Map([['h', 7]]));
    assert.deepEqual([...store.tokens('one', ['h', 'i'])], [['h', 7]]);
    assert.equal(store.tokens('two', ['h']).size, 0);
    store.putValue('plan', '{}');
    assert.equal(store.value('plan'), '{}');
    assert.equal(store.value('other'), undefined);
  }

  test('in memory', () => behaves(new MemoryStore()));

  test('where Node has no SQLite, the store is in memory and the log says so', function () {
    if (nodeSqlite() !== undefined) this.skip();
    assert.equal(openStore(file, logger).kind, 'memory');
    assert.match(lines.join(), /no SQLite/);
  });

  suite('on disk', () => {
    suiteSetup(function () {
      // The same file runs under a newer Node in test/integration/context.
      if (nodeSqlite() === undefined) this.skip();
    });
    const opened = (): IndexStore => {
      const store = openStore(file, logger);
      assert.equal(store.kind, 'sqlite', lines.join('\n'));
      return store;
    };

    test('behaves as in memory, and is there after a restart', () => {
      const store = opened();
      behaves(store);
      store.close();
      const again = opened();
      assert.deepEqual(again.facts('h1', 'typescript'), facts);
      assert.equal(again.value('plan'), '{}');
      again.close();
      if (process.platform !== 'win32') assert.equal(fs.statSync(file).mode & 0o077, 0, 'nobody else may read it');
    });

    test('a file that is no database, cut off, or emptied is set aside and made anew', () => {
      for (const damage of [() => fs.writeFileSync(file, 'not a database, but long enough to look at'), () => fs.truncateSync(file, 5_000), () => fs.truncateSync(file, 0)]) {
        const store = opened();
        behaves(store);
        store.close();
        damage();
        const again = opened();
        assert.equal(again.facts('h1', 'typescript'), undefined);
        behaves(again);
        again.close();
      }
      assert.ok(fs.existsSync(`${file}.damaged`));
    });

    test('a flipped bit anywhere never gives wrong facts or a wrong value', () => {
      const store = opened();
      behaves(store);
      store.putValue('plan', JSON.stringify({ text: 'the remembered text' }));
      store.close();
      const whole = fs.readFileSync(file);
      let survived = 0;
      for (let at = 0; at < whole.length; at += 61) {
        removeStore(file);
        const damaged = Buffer.from(whole);
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (at % 8)), at);
        fs.writeFileSync(file, damaged);
        const again = openStore(file, logger);
        const found = again.facts('h1', 'typescript');
        if (found !== undefined) assert.deepEqual(found, facts, `byte ${at}`);
        const value = again.value('plan');
        if (value !== undefined) assert.equal(value, JSON.stringify({ text: 'the remembered text' }), `byte ${at}`);
        if (found !== undefined) survived++;
        again.close();
      }
      assert.ok(survived > 50);
    }).timeout(60_000);

    test('a store that cannot be written is given up with one line, and the index works on', async () => {
      const store = opened();
      const repository = await Repository.make({ 'a.ts': 'export const first = 1;\n' }, () => store);
      const before = await repository.plan();
      store.close();
      await repository.append('a.ts', 'export const second = 2;\n');
      assert.match(textOf(await repository.plan()), /second/);
      assert.equal(before.mode, 'whole');
      repository.dispose();
    });

    test('where there can be no file the store is in memory', () => {
      fs.writeFileSync(path.join(folder, 'deep'), 'a file in the place of the folder');
      assert.equal(openStore(file, logger).kind, 'memory');
    });

    test('two windows write one file', () => {
      const [one, two] = [opened(), opened()];
      one.write({ files: [{ path: 'a.ts', stamp: '1', hash: 'h1' }] });
      two.write({ files: [{ path: 'b.ts', stamp: '1', hash: 'h2' }] });
      assert.deepEqual([...one.files().keys()].sort(), ['a.ts', 'b.ts']);
      one.close();
      two.close();
    });

    test('forgetting leaves nothing', () => {
      const store = opened();
      behaves(store);
      store.close();
      fs.writeFileSync(`${file}.damaged`, 'x');
      removeStore(file);
      assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
    });

    test('a start with everything known parses nothing', async () => {
      const repository = await Repository.make({ 'a.ts': 'export const first = 1;\n', 'b.py': 'def second(): pass\n' }, opened);
      const first = await repository.plan();
      assert.equal(repository.parser.parsed.length, 2);
      repository.restart();
      assert.deepEqual((await repository.plan()).blocks, first.blocks);
      assert.equal(repository.parser.parsed.length, 2);
      repository.dispose();
    });
  });
});
