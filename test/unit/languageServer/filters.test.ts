import assert from 'node:assert/strict';
import { type Rejection, review, withoutOverlap, withoutPresentCloser } from '../../../src/languageServer/inline/filters.js';
import { at } from '../../support/languageServer/at.js';

suite('inline: what is shown', () => {
  const check = (name: string, marked: string, generated: string, expected: { text: string } | { rejected: Rejection }, languageId?: string): void => {
    test(name, () => assert.deepEqual(review(generated, at(marked, languageId)), expected));
  };
  check('useful text', 'const a = |', 'b + c;', { text: 'b + c;' });
  check('trailing white space goes', 'const a = |', 'b;  \n\n', { text: 'b;' });
  check('nothing', 'const a = |', '', { rejected: 'empty' });
  check('only white space', 'const a = |', ' \n  ', { rejected: 'empty' });
  check('a closer that is there', 'f() {\n  a();|\n}', '\n}', { rejected: 'closerPresent' });
  check('a bracket that is there', 'f(a|)', ')', { rejected: 'empty' });
  check('the next line again', 'a();\n|\nfinish(x);', 'finish(x);', { rejected: 'repeatsNextLine' });
  check('the next line again, begun', 'a();\nfin|\nfinish(x);', 'ish(x);', { rejected: 'repeatsNextLine' });
  check('the line above again', 'push(a);\n|', 'push(a);', { rejected: 'repeatsPreviousLine' });
  check('a variation of the line above', 'push(a);\n|', 'push(b);', { text: 'push(b);' });
  check('the lines above again', 'a = 1;\nb();\n\nc();\n|', 'b();\nc();', { rejected: 'repeatsPreviousLine' });
  check('brackets like those above', '    }\n  }\n  |', '}\n}', { text: '}\n}' });
  check('a condition whose bracket is there', 'if (|)', 'a > b) {', { text: 'a > b' });
  check('a comment behind code', 'const a = 1; |', '// one', { rejected: 'commentOnly' });
  check('a comment behind code, with its blank', 'const a = 1;|', ' // one', { rejected: 'commentOnly' });
  check('an address', 'const a = "https:|', '//example.com";', { text: '//example.com";' });
  check('a colour', 'color = "|', '#fff"', { text: '#fff"' }, 'python');
  check('a product', 'const a = b |', '* c;', { text: '* c;' });
  check('only a comment', 'const a = 1;\n|', '// TODO: more\n// and more', { rejected: 'commentOnly' });
  check('a comment with code', 'const a = 1;\n|', '// sum\nreturn a;', { text: '// sum\nreturn a;' });
  check('a comment that the user began', 'const a = 1;\n// the |', 'sum of all', { text: 'sum of all' });
  check('a comment in Python', 'a = 1\n|', '# set a', { rejected: 'commentOnly' }, 'python');
  check('a pointer in C is no comment', 'int a = 1;\n|', '*out = a;', { text: '*out = a;' }, 'c');
  check('the next line of a block comment', 'int a = 1;\n|', '* out is a\n*/', { rejected: 'commentOnly' }, 'c');
  check('a leaked control token', 'const a = |', 'b;<|fim_pad|>x', { text: 'b;' });
  check('a Markdown fence', 'const a = |', '```ts\nb', { rejected: 'empty' });
});

suite('inline: text that is right of the cursor', () => {
  const check = (text: string, right: string, expected: string): void => {
    test(`${JSON.stringify(text)} before ${JSON.stringify(right)} -> ${JSON.stringify(expected)}`, () => assert.equal(withoutOverlap(text, right), expected));
  };
  check('a, b)', ')', 'a, b');
  check('a, b);', ');', 'a, b');
  check('g(b)', ')', 'g(b)');
  check('x, g(b))', ')', 'x, g(b)');
  check('hello"', '"', 'hello');
  check('"a"', '"', '"a"');
  check('a + b', '+ b', 'a ');
  check('a', '', 'a');
  check('f();', ';', 'f()');
});

suite('inline: a bracket that is right of the cursor already', () => {
  const check = (marked: string, text: string, expected: string): void => {
    const { before, after } = at(marked);
    test(`${JSON.stringify(marked)} and ${JSON.stringify(text)} -> ${JSON.stringify(expected)}`, () => assert.equal(withoutPresentCloser(text, before, after), expected));
  };
  check('if (|)', 'a > b) {', 'a > b');
  check('if (|) {', 'a > b) return', 'a > b');
  check('if (|)', 'f(a) > b', 'f(a) > b');
  check('g(f(|)', 'a), b', 'a), b');
  check('g(f(|)', 'a), b);', 'a), b');
  check('g(f(|))', 'a), b);', 'a');
  check('x[|]', 'i] = 1;', 'i');
  check('f(|', 'a);', 'a);');
  check('f(|;', 'a)', 'a)');
});
