import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { filesBelow, importsOf, root } from './sources.js';

/** The layers as ARCHITECTURE.md states them, written out here so that a changed tsconfig.json alone cannot move them. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  base: [],
  protocol: ['base'],
  trace: ['base', 'protocol'],
  model: ['base', 'protocol'],
  context: ['base', 'protocol'],
  agent: ['base', 'protocol', 'trace', 'model', 'context'],
  sidecar: ['base', 'protocol', 'model'],
  languageServer: ['base', 'protocol', 'trace', 'model', 'context'],
  extension: ['base', 'protocol', 'trace', 'model', 'context', 'agent'],
  cli: ['base', 'protocol', 'trace', 'model', 'agent'],
  mcp: ['base', 'protocol', 'model', 'context', 'agent'],
  webviews: ['base', 'protocol'],
};
const onlyIn: Readonly<Record<string, readonly string[]>> = {
  vscode: ['extension'],
  'vscode-languageclient': ['extension'],
  'vscode-languageserver': ['languageServer'],
  'node-llama-cpp': ['sidecar'],
  'web-tree-sitter': ['context'],
  ignore: ['context'],
  '@modelcontextprotocol/sdk': ['mcp'],
};
/** These run in a browser, or in every process: they may not name a module of Node. */
const withoutNode = ['base', 'protocol', 'webviews'];

const files = filesBelow('src', /\.tsx?$/);
const layerOf = (file: string) => path.relative(path.join(root, 'src'), file).split(path.sep)[0] ?? '';

suite('layers', () => {
  test('every folder in src is a layer with the stated references', () => {
    const folders = fs.readdirSync(path.join(root, 'src')).sort();
    assert.deepEqual(folders, Object.keys(mayImport).sort());
    for (const [layer, expected] of Object.entries(mayImport)) {
      const config = JSON.parse(fs.readFileSync(path.join(root, 'src', layer, 'tsconfig.json'), 'utf8')) as { references: { path: string }[] };
      assert.deepEqual(config.references.map(reference => path.basename(reference.path)).sort(), [...expected].sort(), layer);
    }
  });

  test('no file imports from a layer that its own may not know', () => {
    const violations: string[] = [];
    for (const file of files) {
      const layer = layerOf(file);
      for (const specifier of importsOf(file)) {
        if (!specifier.startsWith('.')) continue;
        const target = path.resolve(path.dirname(file), specifier);
        const other = layerOf(target);
        const allowed = target.startsWith(path.join(root, 'src') + path.sep) && (other === layer || mayImport[layer]?.includes(other));
        if (!allowed) violations.push(`${path.relative(root, file)} imports ${specifier}`);
      }
    }
    assert.deepEqual(violations, []);
  });

  test('packages that belong to one process are imported there only', () => {
    const violations: string[] = [];
    for (const file of files) {
      const layer = layerOf(file);
      for (const specifier of importsOf(file)) {
        const owners = Object.entries(onlyIn).find(([name]) => specifier === name || specifier.startsWith(`${name}/`))?.[1];
        const foreign = owners !== undefined && !owners.includes(layer);
        const nodeModule = withoutNode.includes(layer) && specifier.startsWith('node:');
        if (foreign || nodeModule) violations.push(`${path.relative(root, file)} imports ${specifier}`);
      }
    }
    assert.deepEqual(violations, []);
  });

  test('the import parser sees every form of import', () => {
    const source = [
      "import a from 'one';", "import type { B } from 'two';", "export * from 'three';", "export { c } from 'four';",
      "import 'five';", "const d = await import('six');", "const e = require('seven');", "type F = import('eight').F;",
      "// import g from 'not';", "const text = \"import h from 'not'\";",
    ].join('\n');
    assert.deepEqual(importsOf('sample.ts', source), ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']);
  });
});
