import fs from 'node:fs';
import path from 'node:path';
import { fromRoot } from './paths.mjs';

/** Packages that only some layers may import; a folder below src may be named for a finer rule. */
export const restrictedPackages = {
  vscode: ['extension'],
  'vscode-languageclient': ['extension'],
  'vscode-languageserver': ['languageServer'],
  'node-llama-cpp': ['sidecar'],
  preact: ['webviews'],
  'web-tree-sitter': ['context'],
  ignore: ['context'],
  '@modelcontextprotocol/sdk': ['mcp'],
};

/**
 * Which layers each layer may import, itself included: read from `references` in src/<layer>/tsconfig.json, the one place
 * that says it. tsc enforces it too; lint says it earlier and in words.
 */
export function readLayers() {
  const layers = {};
  for (const name of fs.readdirSync(fromRoot('src')).sort()) {
    const file = fromRoot('src', name, 'tsconfig.json');
    if (!fs.existsSync(file)) continue;
    const { references } = JSON.parse(fs.readFileSync(file, 'utf8'));
    layers[name] = [name, ...references.map(reference => path.basename(reference.path))];
  }
  return layers;
}
