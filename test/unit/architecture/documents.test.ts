import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { root } from './sources.js';

const manifest = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
  .split('\n').filter(name => name !== '' && fs.existsSync(path.join(root, name)));
const documents = tracked.filter(name => name.endsWith('.md') && !name.startsWith('test/'));

/** Paths of this repository that a document names, in code spans or as link targets. */
function pathsIn(text: string): readonly string[] {
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(match => match[1] ?? '');
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(match => match[1] ?? '').filter(link => !/^(https?|command|vscode):/.test(link));
  const inTree = /^(src|test|scripts|docs|media|\.github|\.ci)(\/|$)/;
  return [...spans.filter(span => inTree.test(span) && !/[\s*<>{}]/.test(span)), ...links.map(link => link.split('#')[0] ?? '').filter(link => link !== '')];
}

/** Names of npm scripts that a document tells the reader to run. */
const scriptsIn = (text: string): readonly string[] =>
  [...text.matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g)].map(match => match[1] ?? match[2] ?? '');

suite('documents', () => {
  test('there are documents to check', () => {
    for (const name of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md']) assert.ok(documents.includes(name), name);
  });

  test('every path that a document names exists', () => {
    const missing = documents.flatMap(name => pathsIn(fs.readFileSync(path.join(root, name), 'utf8'))
      .filter(named => !fs.existsSync(path.join(root, named)) && !fs.existsSync(path.resolve(root, path.dirname(name), named)))
      .map(named => `${name}: ${named}`));
    assert.deepEqual(missing, []);
  });

  test('every npm command that a document names exists', () => {
    const missing = documents.flatMap(name => scriptsIn(fs.readFileSync(path.join(root, name), 'utf8'))
      .filter(script => !(script in manifest.scripts)).map(script => `${name}: npm run ${script}`));
    assert.deepEqual(missing, []);
  });

  test('every script of package.json that is a file of ours exists', () => {
    const files = Object.values(manifest.scripts).flatMap(command => /scripts\/\S+\.mjs/.exec(command) ?? []);
    assert.ok(files.length > 5);
    for (const file of files) assert.ok(fs.existsSync(path.join(root, file)), file);
  });

  test('no file names a path of one machine or the host of a package registry', () => {
    // Put together here, so that this file does not match itself.
    const forbidden = new RegExp([
      '(?<![\\w.~*-])/' + '(root|farm|work)/', 'registry\\.' + 'npmjs', 'files\\.' + 'pythonhosted', 'py' + 'pi\\.org', 'crates\\.' + 'io',
    ].join('|'));
    const found: string[] = [];
    for (const name of tracked) {
      const bytes = fs.readFileSync(path.join(root, name));
      if (bytes.includes(0)) continue;
      const line = bytes.toString('utf8').split('\n').findIndex(text => forbidden.test(text));
      if (line >= 0) found.push(`${name}:${line + 1}`);
    }
    assert.deepEqual(found, []);
  });
});
