import assert from 'node:assert/strict';
import type { Shape } from '../../../src/languageServer/inline/shape.js';
import { limit, maxBlockLines, type StopReason } from '../../../src/languageServer/inline/stopRules.js';
import { at } from '../../support/languageServer/at.js';

const line: Shape = { kind: 'line' };
const block = (floor: number): Shape => ({ kind: 'block', floor });

suite('inline: stop rules', () => {
  const check = (name: string, marked: string, shape: Shape, generated: string, expected: string, stop?: StopReason): void => {
    test(name, () => {
      const cursor = at(marked);
      assert.deepEqual(limit(generated, true, shape, cursor), stop === undefined ? { text: expected } : { text: expected, stop });
      // The same outcome however the stream is cut: the first stop seen while it grows is the stop of the whole.
      for (let n = 1; n <= generated.length; n++) {
        const partial = limit(generated.slice(0, n), false, shape, cursor);
        if (partial.stop !== undefined) {
          assert.deepEqual(partial, { text: expected, stop });
          break;
        }
      }
    });
  };
  check('a line ends at its end', 'const a = |', line, 'b;\nconst c', 'b;', 'lineEnd');
  check('a line without an end is kept', 'const a = |', line, 'b;', 'b;');
  check('a block ends with its closer', 'function f() {|', block(1), '\n  return 1;\n}\n\nfunction g() {', '\n  return 1;\n}', 'blockClosed');
  check('a closer that is there already is left out', 'function f() {|\n}', block(1), '\n  return 1;\n}\n', '\n  return 1;', 'suffixReached');
  check('an outer closer that is there already is left out', 'class A {\n  f() {|\n  }\n}', block(3), '\n    return 1;\n  }\n', '\n    return 1;', 'suffixReached');
  check('a line left of the block ends it', 'def f():|', block(1), '\n    return 1\nprint(f())\n', '\n    return 1', 'outOfBlock');
  check('the next line of the file ends it', 'a();\n|\nfinish();', block(0), 'b();\nfinish();\nmore();', 'b();', 'suffixReached');
  check('three equal lines', 'x = [\n  |', block(2), '1,\n  a,\n  a,\n  a,\n  a,', '1,\n  a,', 'repeated');
  check('two equal lines are allowed', 'x = [\n  |', block(2), '1,\n  0,\n  0,\n  2', '1,\n  0,\n  0,\n  2');
  check('a repeated pair', '{\n  |', block(2), 'a();\n  b();\n  a();\n  b();\n  a();', 'a();\n  b();', 'repeated');
  check('repeated closers are allowed', '{\n  |', block(2), 'a(() => {\n    b({\n      c,\n    });\n  });', 'a(() => {\n    b({\n      c,\n    });\n  });');
  check('a second empty line', '{\n  |', block(2), 'a();\n\n\n  b();', 'a();', 'blankLines');
  check('a second top-level definition', '|', block(0), 'function a() {\n  return 1;\n}\n\nfunction b() {', 'function a() {\n  return 1;\n}\n', 'outOfBlock');
  check('not without end', '{\n  |', block(2), Array.from({ length: 40 }, (_, i) => `  a${i}();`).join('\n'), Array.from({ length: maxBlockLines }, (_, i) => `  a${i}();`).join('\n'), 'maxLines');
});
