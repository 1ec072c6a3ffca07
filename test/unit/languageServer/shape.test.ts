import assert from 'node:assert/strict';
import { decideShape } from '../../../src/languageServer/inline/shape.js';
import { at } from '../../support/languageServer/at.js';

suite('inline: one line or a block', () => {
  const check = (marked: string, expected: 'line' | number, languageId = 'typescript'): void => {
    test(`${JSON.stringify(marked)} -> ${expected}`, () => {
      const shape = decideShape(at(marked, languageId));
      assert.equal(shape.kind === 'line' ? 'line' : shape.floor, expected);
    });
  };
  check('const a = |', 'line');
  check('foo(|)', 'line');
  check('function f() {|', 1);
  check('  if (a) {|\n  }', 3);
  check('function f() {|\n  return 1;\n}', 'line');
  check('function f() {\n  |\n}', 2);
  check('function f() {\n|\n}', 1);
  check('function f() {\n  |\n  return 1;\n}', 'line');
  check('function f() {\n  const a = 1;\n  |\n}', 2);
  check('const a = 1;\n\n|', 0);
  check('// what it does|', 'line');
  check('def f(x):|', 1, 'python');
  check('def f(x):\n    |', 4, 'python');
  check('def f(x):|\n    return x', 'line', 'python');
  check('const label:|', 'line');
  check('switch (a) {\n  case 1:|', 3);
  check('items.forEach(x =>|', 1);
  check('def area\n  items.each do\n    |', 4, 'ruby');
});
