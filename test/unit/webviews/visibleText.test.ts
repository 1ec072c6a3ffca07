import assert from 'node:assert/strict';
import { hasHidden, visibleCommand, visibleParts } from '../../../src/webviews/shared/visibleText.js';

const shown = (parts: readonly { text: string }[]): string => parts.map(({ text }) => text).join('');

suite('webviews: hidden characters are shown', () => {
  test('bidirectional overrides, zero width, tags, controls and fillers become escapes with a name', () => {
    const cases: [string, string, string][] = [
      ['\u202e', 'U+202E', 'right-to-left override'], ['\u2066', 'U+2066', 'left-to-right isolate'], ['\u200b', 'U+200B', 'zero width space'],
      ['\u{e0041}', 'U+E0041', 'tag character'], ['\u0007', 'U+0007', 'control character'], ['\u007f', 'U+007F', 'control character'],
      ['\u00a0', 'U+00A0', 'no-break space'], ['\u3164', 'U+3164', 'Hangul filler'], ['\ufeff', 'U+FEFF', 'byte order mark'],
      ['\ufe0f', 'U+FE0F', 'variation selector'], ['\ud800', 'U+D800', 'lone surrogate'], ['\u00ad', 'U+00AD', 'soft hyphen'], ['\r', 'U+000D', 'control character'],
      ['\u{1d173}', 'U+1D173', 'format character'],
    ];
    for (const [character, text, hidden] of cases) {
      assert.deepEqual(visibleParts(`a${character}b`), [{ text: 'a' }, { text, hidden }, { text: 'b' }], text);
      assert.equal(hasHidden(`a${character}b`), true, text);
    }
  });

  test('what can be seen is left alone', () => {
    const text = 'Grüße, 你好, العربية 🙂 \tcode\n';
    assert.deepEqual(visibleParts(text), [{ text }]);
    assert.equal(hasHidden(text), false);
  });

  test('a command shows its blanks, tabs and line ends', () => {
    assert.equal(shown(visibleCommand(`ls${' '.repeat(500)}; rm -rf x`)), 'ls·· 500 spaces ··; rm -rf x');
    assert.equal(shown(visibleCommand('a\tb\nc')), 'a⇥b↵\nc');
    assert.equal(shown(visibleCommand('  a  b ')), '··a  b·');
    assert.equal(shown(visibleCommand('npm run test -- --grep "a b"')), 'npm run test -- --grep "a b"');
    assert.equal(shown(visibleCommand('echo \u202e')), 'echo·U+202E');
  });
});
