import assert from 'node:assert/strict';
import { withoutRepeatedStart } from '../../../src/languageServer/inline/repeatedStart.js';
import { at } from '../../support/languageServer/at.js';

suite('inline: a suggestion that starts with what is there', () => {
  const check = (marked: string, generated: string, expected: string | undefined, languageId = 'typescript'): void => {
    test(`${JSON.stringify(marked)} and ${JSON.stringify(generated)} -> ${JSON.stringify(expected) ?? 'nothing'} (${languageId})`, () => {
      const verdict = withoutRepeatedStart(generated, at(marked, languageId));
      assert.deepEqual(verdict, expected === undefined ? { rejected: 'repeatsStart' } : { text: expected });
    });
  };
  const keep = (marked: string, generated: string, languageId?: string): void => check(marked, generated, generated, languageId);

  // The statement begun anew.
  check('  return |', 'return a - b;', 'a - b;');
  check('  return |', ' return a - b;', 'a - b;');
  check('  return|', ' return a - b;', ' a - b;');
  check('  return|', 'return a - b;', ' a - b;');
  check('if (a) return |', 'return b;', 'b;');
  check('const x = |', 'const x = 5;', '5;');
  check('const x|', 'const x = 5;', ' = 5;');
  check('x = |', 'x = 5;', '5;');
  check('err := |', 'err := run()', 'run()', 'go');
  check('  name: |', 'name: string;', 'string;');
  check('  total |', 'total += x;', '+= x;');
  check('    return |', 'return n % 2 == 0', 'n % 2 == 0', 'python');
  check('public static |', 'public static void main', 'void main', 'java');
  check('git commit |', 'git commit -m "x"', '-m "x"', 'shellscript');
  check('this.|', 'this.items.push(1);', 'items.push(1);');
  check('function f() {|', 'function f() {\n  return 1;\n}', '\n  return 1;\n}');
  check('// adds the |', 'the numbers', 'numbers');

  // A word begun anew.
  check('items.for|', 'forEach((x) => x)', 'Each((x) => x)');
  check('items.map(item|', 'item => item.id)', ' => item.id)');
  check('a.b|', 'a.b.c()', '.c()');

  // Nothing useful is left.
  check('  return |', 'return', undefined);
  check('  return |', 'return;', undefined);
  check('  return |', 'return return return', undefined);
  check('foo(bar|', 'bar)', undefined);

  // What may stand twice.
  keep('const x = a.|', 'a.b');
  keep('a.|', 'a');
  keep('node.next.|', 'next.next;');
  keep('f(|', 'f(x))');
  keep('Array.from(|', 'Array.from(x).keys())');
  keep('Math.max(|', 'Math.max(a, b), c)');
  keep('new |', 'new Map()');
  keep('new Pair(|', 'new Pair(1, 2), 3)');
  keep('await |', 'await x');
  keep('x = not |', 'not y', 'python');
  keep('long |', 'long x;', 'cpp');
  keep('func run(client |', 'client.Client)', 'go');
  keep('public Color |', 'Color { get; }', 'csharp');
  keep('[1, |', '1, 0]');
  keep('f(a, |', 'a, b)');
  keep('x = b + |', 'b + c;');
  keep('this.x * |', 'this.x * 2;');
  keep('}|', '}');
  keep('std:|', ':vector', 'cpp');
  keep(':: |', '::', 'haskell');
  keep('color: #abc|', 'abc;', 'css');
  keep('x = a|', 'add(b);');
  keep('return |', 'returned;');
  keep('return to|', 'total;');
  keep('  |', 'return 1;');
  keep('const xs = |', 'x;');
});
