import assert from 'node:assert/strict';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './sources.js';

interface Fact { readonly name: string; readonly value: string; readonly target: number; readonly at: number }
interface Stage { readonly length: number; readonly text: string; readonly needles: readonly Fact[]; readonly groups: readonly (readonly Fact[])[] }
interface Answer { readonly text: string; readonly tokens: readonly number[] }
type Kind = 'single' | 'group' | 'code';

/** The benches are plain JavaScript; what a test uses of them is typed here. */
const load = async <T>(name: string): Promise<T> => await import(pathToFileURL(path.join(root, 'native', 'bench', name)).href) as T;
const text = await load<{
  material(lengths: readonly number[], count: (texts: readonly string[]) => Promise<readonly number[]>): Promise<{ stages: readonly Stage[]; hash: string }>;
}>('recallText.mjs');
const score = await load<{
  says(text: string, wanted: string): boolean;
  compareGreedy(base: readonly string[], answers: readonly Answer[]): { whole: number; outputs: number; prefix: number; tokens: number };
  likelihoods(stage: { readonly answers: readonly { readonly tokens: readonly number[]; readonly log_probability: number }[] }, isF16: boolean): object;
  likelihoodRatio(base: object, one: object): number | undefined;
  scoreStage(asked: readonly { kind: Kind; answers: readonly string[] }[], stage: object): { found: Record<Kind, string>; missed: readonly unknown[] };
}>('recallScore.mjs');
const report = await load<{ differences(base: object, one: object): { lost: number; gained: number } }>('recallReport.mjs');

/** About as many tokens as a tokenizer would make of code. */
const count = (texts: readonly string[]): Promise<readonly number[]> => Promise.resolve(texts.map((one) => Math.ceil(one.length / 3.5)));

suite('the bench of what is found in a compressed cache', () => {
  test('hides every fact once, near its place, before it is asked for', async () => {
    const { stages } = await text.material([4096, 16384], count);
    let read = '';
    for (const stage of stages) {
      read += stage.text;
      for (const fact of [...stage.needles, ...stage.groups.flat()]) {
        assert.equal(read.split(`const ${fact.name} = ${fact.value};`).length, 2, fact.name);
        assert.ok(Math.abs(fact.at - fact.target) < 0.06 * stage.length, `${fact.name} at ${fact.at}, wanted at ${fact.target}`);
      }
      assert.ok(Math.abs(Math.ceil(read.length / 3.5) - stage.length) < 0.06 * stage.length, `${read.length / 3.5} tokens for ${stage.length}`);
    }
    assert.equal((await text.material([4096, 16384], count)).hash, (await text.material([4096, 16384], count)).hash);
  });

  test('counts an answer that is said whole, and no part of a longer one', () => {
    assert.ok(score.says('It is `48213`.', '48213'));
    assert.ok(score.says('return "[Function]";', '[Function]'));
    assert.ok(score.says('startsWith("$$")', '$$'));
    assert.ok(!score.says('148213', '48213'));
    assert.ok(!score.says('482130', '48213'));
    assert.ok(!score.says('retryTimeout', 'Timeout'));
  });

  test('marks each fact of a group, and a question about the code only when all of its answer is there', () => {
    const { found, missed } = score.scoreStage(
      [{ kind: 'single', answers: ['1'] }, { kind: 'group', answers: ['1', '2', '3'] }, { kind: 'code', answers: ['a', 'b'] }],
      { position: 0, prefill_s: 0, answer_s: 0, answers: [{ text: '1' }, { text: 'A = 1, C = 3' }, { text: 'a' }] });
    assert.deepEqual(found, { single: '1', group: '101', code: '0' });
    assert.equal(missed.length, 2);
  });

  test('compares how likely the right answers of f16 are, at lengths that both were asked at', () => {
    const stage = (found: Record<Kind, string>, logs: readonly number[], isF16: boolean): object =>
      ({ found, ...score.likelihoods({ answers: logs.map((log, i) => ({ tokens: [i, 7], log_probability: log })) }, isF16) });
    const found = { single: '10', group: '111101', code: '1' }; // right: answers 0, 2 and 4
    const f16 = { lengths: { 4096: stage(found, [-1, -2, -3, -4, -5], true), 8192: stage(found, [-1, -1, -1, -1, -1], true) } };
    const other = { lengths: { 4096: stage({ single: '00', group: '000000', code: '0' }, [-1.3, -9, -3.3, -9, -5.3], false) } };
    assert.ok(Math.abs((score.likelihoodRatio(f16, other) ?? 0) - Math.exp(-0.3)) < 1e-9);
    assert.equal(score.likelihoodRatio(f16, f16), 1);
    assert.deepEqual((f16.lengths[4096] as { said: unknown }).said, ['0 7', '1 7', '2 7', '3 7', '4 7']);
    assert.equal(score.likelihoodRatio({ lengths: { 4096: { found } } }, other), undefined); // an older measurement has none
  });

  test('says what only f16 found and what only the other found, of lengths that both were asked at', () => {
    const lengths = (group: string): object => ({ lengths: { 4096: { found: { single: '11', group, code: '' } }, 8192: { found: { single: '1', group: '', code: '' } } } });
    const short = { lengths: { 4096: { found: { single: '01', group: '011', code: '' } } } };
    assert.deepEqual(report.differences(lengths('010'), short), { lost: 1, gained: 1 });
  });

  test('compares whole outputs token by token', () => {
    const outputs = [[1, 2, 9, 4], [5, 6], [], [7]].map((tokens) => ({ text: '', tokens }));
    const compared = score.compareGreedy(['1 2 3 4', '5 6', '', '7 8'], outputs);
    assert.deepEqual(compared, { whole: 2, outputs: 4, prefix: 5 / 4, tokens: 6 / 8 });
  });
});
