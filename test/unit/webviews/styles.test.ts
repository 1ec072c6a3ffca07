import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { readTheme, themes } from '../../support/webviews/harness.js';

const folder = path.resolve('src/webviews');
const files = fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const read = (ending: RegExp): [string, string][] =>
  files.filter(({ name }) => ending.test(name)).map(({ parentPath, name }) => [name, fs.readFileSync(path.join(parentPath, name), 'utf8')]);

/** Set by VS Code in high contrast or by a theme only. */
const optional = new Set([
  '--vscode-contrastBorder', '--vscode-contrastActiveBorder', '--vscode-diffEditor-insertedTextBorder', '--vscode-diffEditor-removedTextBorder', '--vscode-list-inactiveSelectionForeground', '--vscode-button-secondaryBorder',
]);

suite('webviews: the look is VS Code\'s', () => {
  test('every variable that the sheets use is one that VS Code sets', () => {
    const known = new Set([...themes.flatMap((theme) => Object.keys(readTheme(theme))), ...optional]);
    for (const [name, css] of read(/\.css$/)) for (const [variable] of css.matchAll(/--vscode-[\w-]+/g)) assert.ok(known.has(variable), `${name}: ${variable}`);
  });

  test('no colour of our own', () => {
    for (const [name, css] of read(/\.css$/)) assert.deepEqual(css.match(/#[0-9a-f]{3,8}\b|\brgba?\(|\bhsl/gi), null, name);
  });

  test('no way for text to become markup or code', () => {
    for (const [name, source] of read(/\.tsx?$/)) assert.deepEqual(source.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\bhref=|srcdoc/g), null, name);
  });
});
