import assert from 'node:assert/strict';
import { pageRank } from '../../../src/context/graph/pageRank.js';
import { noFocus, rank } from '../../../src/context/graph/ranking.js';
import { relatedFiles } from '../../../src/context/graph/relatedFiles.js';
import { referenceGraph } from '../../../src/context/graph/referenceGraph.js';
import { byStability } from '../../../src/context/plan/stability.js';
import type { FileFacts } from '../../../src/context/symbols/facts.js';

const facts = (defines: readonly string[], uses: Readonly<Record<string, number>> = {}): FileFacts => ({
  symbols: defines.map((name) => ({ name, kind: 'function', signature: name, depth: 0 })), references: Object.entries(uses),
});

suite('context: graph', () => {
  test('ranks agree with the closed form on three nodes', () => {
    // a -> b, a -> c, b -> c, c -> a; damping 1/2, equal jumps: the linear equations give 14/39, 10/39, 15/39.
    const ranks = pageRank([[{ to: 1, weight: 1 }, { to: 2, weight: 1 }], [{ to: 2, weight: 1 }], [{ to: 0, weight: 1 }]], [1, 1, 1], { damping: 0.5, tolerance: 1e-9 });
    [14 / 39, 10 / 39, 15 / 39].forEach((value, node) => assert.ok(Math.abs((ranks[node] ?? 0) - value) < 1e-8, `${node}: ${ranks[node]}`));
  });

  test('rank is kept where edges end, and jumps go where they are wanted', () => {
    const ranks = pageRank([[{ to: 1, weight: 3 }], [], []], [0, 0, 0]);
    assert.ok(Math.abs(ranks.reduce((sum, value) => sum + value, 0) - 1) < 1e-9);
    assert.ok((ranks[1] ?? 0) > (ranks[2] ?? 0));
    const wanted = pageRank([[], [], []], [0, 0, 5]);
    assert.deepEqual([...wanted], [0, 0, 1]);
    assert.deepEqual([...pageRank([], [])], []);
  });

  test('a rare name ties more than one that every file uses, and one with many definitions nothing', () => {
    const many = Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`m${i}.ts`, facts(['setUp'])]));
    const graph = referenceGraph(new Map(Object.entries({
      'a.ts': facts(['rareThing']), 'b.ts': facts(['everywhere']), 'c.ts': facts([], { everywhere: 1, rareThing: 1, setUp: 1 }), 'd.ts': facts([], { everywhere: 1 }), 'e.ts': facts([], { everywhere: 1 }), ...many,
    })));
    const out = graph.references[graph.paths.indexOf('c.ts')] ?? [];
    assert.deepEqual(out.map(({ name }) => name), ['rareThing', 'everywhere']);
    assert.ok((out[0]?.weight ?? 0) > (out[1]?.weight ?? 0));
  });

  test('a name ties within a family of languages, and a method less than what stands alone', () => {
    const method: FileFacts = { symbols: [{ name: 'Store', kind: 'class', signature: '', depth: 0 }, { name: 'fetchAll', kind: 'method', signature: '', depth: 1 }], references: [] };
    const graph = referenceGraph(new Map(Object.entries({ 'a.ts': method, 'b.tsx': facts(['fetchOne']), 'c.py': facts(['fetchTwo']), 'z.js': facts([], { fetchAll: 1, fetchOne: 1, fetchTwo: 1 }) })));
    const out = graph.references.at(-1) ?? [];
    assert.deepEqual(out.map(({ name }) => name), ['fetchAll', 'fetchOne']);
    assert.ok((out[0]?.weight ?? 1) < (out[1]?.weight ?? 0) / 2);
  });

  test('what the rest leans on ranks first, and what is open moves up with what it uses', async () => {
    const files = new Map(Object.entries({
      'core.ts': facts(['coreThing', 'rarelyUsed']), 'one.ts': facts(['one'], { coreThing: 2 }), 'two.ts': facts(['two'], { coreThing: 1 }), 'far.ts': facts(['farThing']), 'uses.ts': facts(['usesFar'], { farThing: 3 }),
      'test/x.test.ts': facts([], { one: 9, two: 9 }),
    }));
    const cold = await rank(files, noFocus);
    const best = [...cold.files].sort(([, a], [, b]) => b - a)[0]?.[0];
    assert.equal(best, 'core.ts');
    assert.ok(cold.symbol('core.ts', 'coreThing') > 0);
    assert.equal(cold.symbol('core.ts', 'rarelyUsed'), 0);
    const warm = await rank(files, { open: ['uses.ts', 'not/there.ts'], changed: [] });
    assert.ok((warm.files.get('far.ts') ?? 0) > (cold.files.get('far.ts') ?? 0) * 1.5);
  });

  test('files that have to do with a name: who defines it, who uses it and what these lean on, in that order; what is far away last', async () => {
    const files = new Map(Object.entries({
      'core.ts': facts(['coreThing']), 'one.ts': facts(['one'], { coreThing: 2 }), 'two.ts': facts(['two'], { coreThing: 1 }), 'far.ts': facts(['farThing', 'besideIt']),
      'uses.ts': facts(['usesFar'], { farThing: 3 }), 'three.ts': facts(['three'], { coreThing: 5, one: 1, two: 1 }),
    }).map(([path, one]) => [path, { hash: '', bytes: 1, facts: one }] as const));
    const about = async (...words: string[]): Promise<string[]> => (await relatedFiles({ files, focus: noFocus }, words, 3)).files.map(({ path, why }) => `${path} ${why}`);
    assert.deepEqual(await about('farThing'), ['far.ts named', 'uses.ts uses', 'core.ts related']);
    assert.deepEqual(await about('Some.farThing()'), await about('farThing'));
    assert.deepEqual(await about('uses.ts'), ['uses.ts named', 'far.ts related', 'core.ts related']);
    assert.deepEqual((await about('three', 'one', 'two')).map((line) => line.split(' ')[1]), ['named', 'named', 'named'], 'before what all of them lean on');
    assert.deepEqual((await about())[0], 'core.ts related');
    const { files: found, unknown } = await relatedFiles({ files, focus: { open: ['uses.ts'], changed: [] } }, ['noSuchName', 'farThing'], 1);
    assert.deepEqual([unknown, found], [['noSuchName'], [{ path: 'far.ts', why: 'named', symbols: [{ name: 'farThing', kind: 'function', signature: 'farThing' }, { name: 'besideIt', kind: 'function', signature: 'besideIt' }] }]]);
    assert.deepEqual(await relatedFiles({ files, focus: noFocus }, ['noSuchName'], 3), { files: [], unknown: ['noSuchName'] });
    assert.equal((await relatedFiles({ files, focus: { open: ['uses.ts'], changed: [] } }, [], 2)).files.some(({ path }) => path === 'uses.ts'), true, 'what is open counts where nothing is asked');
  });

  test('rarely changed files come first, in steps, and by path within one', () => {
    const changes = new Map([['c.ts', 1], ['b.ts', 2], ['a.ts', 9], ['B.ts', 8]]);
    for (const paths of [['c.ts', 'b.ts', 'a.ts', 'B.ts', 'z.ts', 'y.ts'], ['y.ts', 'B.ts', 'z.ts', 'a.ts', 'c.ts', 'b.ts']]) {
      assert.deepEqual(paths.toSorted(byStability(changes)), ['y.ts', 'z.ts', 'b.ts', 'c.ts', 'B.ts', 'a.ts']);
    }
  });

  test('the order of files does not matter', async () => {
    const files: [string, FileFacts][] = [['b.ts', facts(['two'], { one: 1 })], ['a.ts', facts(['one'], { three: 2 })], ['c.ts', facts(['three'], { two: 1 })]];
    const [there, back] = await Promise.all([rank(new Map(files), noFocus), rank(new Map(files.toReversed()), noFocus)]);
    assert.deepEqual([...there.files].sort(), [...back.files].sort());
  });
});
