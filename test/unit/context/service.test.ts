import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { IndexState } from '../../../src/protocol/context.js';
import { counter, Repository, textOf } from '../../support/context/repository.js';

const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`src/f${i}.ts`, `export function thing${i}(): number {\n  return ${i};\n}\n`]));

suite('context: index service', () => {
  let repository: Repository;
  setup(async () => (repository = await Repository.make({ ...files, '.gitignore': 'out/\n' })));
  teardown(() => repository.dispose());
  const states = (): IndexState['state'][] => {
    const seen: IndexState['state'][] = [];
    repository.service.onStatus(({ state }) => seen.push(state));
    return seen;
  };

  test('nothing happens before a plan is asked for; then there is progress, and a report', async () => {
    const seen = states();
    assert.deepEqual(repository.service.status(repository.root), { state: 'cold' });
    assert.equal(repository.parser.parsed.length, 0);
    await repository.plan();
    assert.equal(seen[0], 'indexing');
    assert.equal(seen.at(-1), 'ready');
    const state = repository.service.status(repository.root);
    assert.ok(state.state === 'ready');
    assert.deepEqual([state.report.files, state.report.parsed, state.report.store], [41, 40, 'memory']);
  });

  test('a changed file is the only one that is read and parsed again', async () => {
    await repository.plan();
    repository.parser.parsed.length = 0;
    await repository.append('src/f7.ts', 'export const added = 1;\n');
    assert.match(textOf(await repository.plan()), /added/);
    assert.equal(repository.parser.parsed.length, 1);
    assert.match(repository.parser.parsed[0] ?? '', /thing7[^]*added/);
  });

  test('a change is taken up by itself after a pause, and what is ignored wakes nobody', async () => {
    await repository.plan();
    repository.parser.parsed.length = 0;
    const seen = states();
    await repository.write('out/f1.ts', 'export const built = 1;\n');
    repository.changed('out/f1.ts', '.git/index', 'node_modules/p/i.js');
    await repository.append('src/f1.ts', '// once\n');
    await repository.append('src/f1.ts', 'export const twice = 2;\n');
    await new Promise((resolve) => setTimeout(resolve, 900));
    assert.equal(repository.parser.parsed.length, 1);
    assert.deepEqual(seen, [], 'one file is not worth a message');
  });

  test('new, deleted and moved files are found', async () => {
    await repository.plan();
    await repository.write('src/new.ts', 'export const brandNew = 1;\n');
    fs.renameSync(path.join(repository.root, 'src', 'f3.ts'), path.join(repository.root, 'src', 'moved.ts'));
    repository.changed('src/new.ts', 'src/f3.ts', 'src/moved.ts');
    const text = textOf(await repository.plan());
    for (const part of ['brandNew', 'File src/f3.ts has been deleted.', 'File src/moved.ts is now:']) assert.ok(text.includes(part), part);
  });

  test('a cancelled plan rejects, keeps what it found, and the next one goes on', async () => {
    const controller = new AbortController();
    const subscription = repository.service.onStatus(({ state }) => {
      if (state === 'indexing') controller.abort();
    });
    await assert.rejects(repository.service.plan(repository.root, counter, { budget: 20_000, keep: false }, controller.signal), { name: 'AbortError' });
    subscription.dispose();
    while (repository.service.status(repository.root).state !== 'cold') await new Promise((resolve) => setTimeout(resolve, 5));
    const done = repository.parser.parsed.length;
    assert.ok(done > 0 && done < 40, `${done}`);
    await repository.plan();
    assert.equal(repository.parser.parsed.length, 40);
  });

  test('a plan that is given up while another one is made ends at once', async () => {
    const controller = new AbortController();
    const first = repository.plan();
    let isDone = false;
    void first.then(() => (isDone = true));
    const second = repository.service.plan(repository.root, counter, { budget: 20_000, keep: false }, controller.signal);
    controller.abort();
    await assert.rejects(second, { name: 'AbortError' });
    assert.equal(isDone, false);
    await first;
  });

  test('two plans at once are one index', async () => {
    const [one, two] = await Promise.all([repository.plan(), repository.plan()]);
    assert.deepEqual(one.blocks, two.blocks);
    assert.equal(repository.parser.parsed.length, 40);
  });

  test('requests of the editor come in between', async () => {
    let turns = 0;
    const tick = (): void => {
      turns++;
      timer = setImmediate(tick);
    };
    let timer = setImmediate(tick);
    await repository.plan();
    clearImmediate(timer);
    assert.ok(turns >= 40, `${turns}`);
  });

  test('a folder that is forgotten starts anew, and one that is gone is a failure that is said', async () => {
    await repository.plan();
    await repository.service.forget(repository.root);
    assert.deepEqual(repository.service.status(repository.root), { state: 'cold' });
    fs.rmSync(repository.root, { recursive: true });
    await assert.rejects(repository.plan(), /ENOENT/);
    assert.equal(repository.service.status(repository.root).state, 'failed');
  });

  test('after the end nothing is answered and no timer is left', async () => {
    await repository.plan();
    repository.changed('src/f1.ts');
    repository.service.dispose();
    await assert.rejects(repository.plan());
  });
});
