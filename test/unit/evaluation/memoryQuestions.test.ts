import { strict as assert } from 'node:assert';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isRight, type Question, questionsOf } from '../../eval/memory/questions.js';
import { type Facts, factsOf } from '../../eval/memory/symbols.js';

const sources = {
  'src/core/index.ts': 'export { total as sum } from \'./total.js\';\nexport * from \'../settings.js\';\n',
  'src/core/total.ts': 'export function total(prices: number[]): number { return prices.reduce(added, 0); }\nexport function added(a: number, b: number): number { return a + b; }\nexport const local = 2;\n',
  'src/settings.ts': 'export const currency = \'euro\';\nexport const limits = { lines: 40, first: 0 };\nexport enum Weekday { Monday, Tuesday, Wednesday }\n',
  'src/shop.ts': [
    'import { sum, currency } from \'./core/index.js\';',
    'export class Shop { receipt(prices: number[], width = 80): string { const print = (): string => `${sum(prices)} ${currency}`; return print().padStart(width); } }',
    'export function total2(): number { return sum([]); }', 'const total = 5;',
  ].join('\n'),
  'test/shop.test.ts': 'import { Shop } from \'../src/shop.js\';\nnew Shop().receipt([]);\n',
};

suite('Questions about a repository', () => {
  let root: string;
  let facts: Facts;
  suiteSetup(() => {
    root = mkdtempSync(join(tmpdir(), 'loupe-questions-'));
    for (const [path, text] of Object.entries(sources)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    facts = factsOf(root);
  });
  suiteTeardown(() => rmSync(root, { recursive: true, force: true }));

  test('names are followed through other names and re-exports; what has two homes and what tests do is left out', () => {
    assert.deepEqual(facts.files, ['src/core/index.ts', 'src/core/total.ts', 'src/settings.ts', 'src/shop.ts']);
    assert.deepEqual(Object.fromEntries(facts.definitions), { added: 'src/core/total.ts', Shop: 'src/shop.ts', total2: 'src/shop.ts' });
    assert.deepEqual(Object.fromEntries([...facts.importers].map(([name, by]) => [name, [...by]])), { currency: ['src/shop.ts'] });
    assert.deepEqual(Object.fromEntries(facts.values), {
      'the constant `local`': '2', 'the constant `currency`': 'euro', '`lines` in the constant `limits`': '40', '`Weekday.Wednesday`': '2',
      'the parameter `width` of `receipt` when it is left out': '80', 'the constant `total`': '5',
    });
  });

  test('a call counts for every function around it that has a name', () => {
    assert.deepEqual([...facts.callers.keys()], [], 'two files define the only function that is called');
    writeFileSync(join(root, 'src/shop.ts'), sources['src/shop.ts'].replace('const total = 5;', ''));
    const { callers } = factsOf(root);
    assert.deepEqual(callers.get('total'), [['print', 'receipt'], ['total2']]);
  });

  test('the questions are the same at every run, a share of each kind', () => {
    const asked = questionsOf(facts, 6);
    assert.deepEqual(questionsOf(facts, 6), asked);
    assert.deepEqual(new Set(asked.map(({ kind }) => kind)), new Set(['definition', 'importer', 'value']));
    assert.equal(questionsOf(facts, 1000).length, new Set(questionsOf(facts, 1000).map(({ text }) => text)).size);
  });

  const file: Question = { kind: 'definition', text: 'Which file defines `Shop`?', answers: ['src/shop.ts'] };
  const value: Question = { kind: 'value', text: 'What is the value of `lines` in the constant `limits`?', answers: ['40'] };
  const caller: Question = { kind: 'caller', text: 'Which function calls `added`?', answers: ['receipt', 'total2'] };
  const judged: readonly (readonly [Question, string, boolean])[] = [
    [file, 'It is defined in `src/shop.ts`.', true], [file, 'In shop.ts, which imports src/core/index.ts.', true], [file, 'In src/settings.ts or src/shop.ts.', false],
    [file, 'In workshop.ts.', false], [file, 'In the file shop.', false],
    [value, 'The value is 40.', true], [value, '`lines: 40`', true], [value, 'It is 400.', false], [value, 'It is 40.5.', false],
    [caller, '`Shop.receipt` calls it.', true], [caller, 'The function `receipt` calls it.', true], [caller, 'total2', true], [caller, 'total2b', false],
    [caller, 'One of Shop, total2, and the function receipt, and what they call.', true],
  ];
  for (const [question, said, right] of judged) {
    test(`${question.text} "${said}" is ${right ? 'right' : 'wrong'}`, () => assert.equal(isRight(question, said, facts), right));
  }
});
