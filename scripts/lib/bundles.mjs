import fs from 'node:fs';
import path from 'node:path';
import { fromRoot } from './paths.mjs';

/** VS Code 1.120 runs extensions on Node 22; the sidecar and the language server run on the same binary. */
const nodeTarget = 'node22';
const browserTarget = 'es2022';

// Bundled CommonJS packages call require() for Node's own modules; an ES module has none of its own.
const requireForEsm = "import { createRequire as loupeCreateRequire } from 'node:module'; const require = loupeCreateRequire(import.meta.url);";

const node = { platform: 'node', target: nodeTarget };
const commonJs = { ...node, format: 'cjs' };
const esModule = { ...node, format: 'esm', banner: { js: requireForEsm } };
const webview = { platform: 'browser', target: browserTarget, format: 'iife', jsx: 'automatic', jsxImportSource: 'preact' };

/** One bundle per process and webview. */
const bundles = [
  { name: 'extension', entry: 'src/extension/main.ts', outfile: 'dist/extension/main.cjs', ...commonJs, external: ['vscode'] },
  {
    name: 'languageServer', entry: 'src/languageServer/main.ts', outfile: 'dist/languageServer/main.cjs', ...commonJs,
    // Its ES module looks for itself through import.meta, which CommonJS has not.
    alias: { 'web-tree-sitter': fromRoot('node_modules', 'web-tree-sitter', 'web-tree-sitter.cjs') },
  },
  { name: 'sidecar', entry: 'src/sidecar/main.ts', outfile: 'dist/sidecar/main.mjs', ...esModule, external: ['node-llama-cpp'] },
  { name: 'mcp', entry: 'src/mcp/main.ts', outfile: 'dist/mcp/main.mjs', ...esModule, banner: { js: `#!/usr/bin/env node\n${requireForEsm}` } },
  { name: 'mcpClient', entry: 'src/mcp/client/main.ts', outfile: 'dist/mcp/client.mjs', ...esModule },
  { name: 'cli', entry: 'src/cli/main.ts', outfile: 'dist/cli/main.mjs', ...esModule },
  { name: 'chat', entry: 'src/webviews/chat/main.tsx', outfile: 'dist/webviews/chat/main.js', ...webview },
  { name: 'trace', entry: 'src/webviews/trace/main.tsx', outfile: 'dist/webviews/trace/main.js', ...webview },
];

/** esbuild options of every bundle. `production` minifies and leaves the source maps out. */
export function bundleOptions(production) {
  return bundles.map(({ name, entry, outfile, ...options }) => ({
    name,
    options: {
      ...options,
      entryPoints: [fromRoot(entry)],
      outfile: fromRoot(outfile),
      absWorkingDir: fromRoot(),
      bundle: true,
      metafile: true,
      minify: production,
      sourcemap: production ? false : 'linked',
      legalComments: 'none',
      define: { 'process.env.NODE_ENV': JSON.stringify(production ? 'production' : 'development') },
      // import.meta is empty in CommonJS: a path built from it would fail only in the packaged extension.
      logOverride: { 'empty-import-meta': 'error' },
      logLevel: 'warning',
    },
  }));
}

/** The WebAssembly of tree-sitter and of every grammar that src/context/symbols/languages.ts names, by file name. */
export const grammarFiles = {
  'web-tree-sitter.wasm': 'web-tree-sitter/web-tree-sitter.wasm',
  'tree-sitter-c.wasm': 'tree-sitter-c/tree-sitter-c.wasm',
  ...Object.fromEntries(['javascript', 'typescript', 'tsx', 'python', 'go', 'rust', 'java', 'cpp', 'c-sharp', 'ruby', 'php'].map(name => [
    `tree-sitter-${name}.wasm`, `@vscode/tree-sitter-wasm/wasm/tree-sitter-${name}.wasm`,
  ])),
};

/** Puts them where the language server is told to look. */
export async function copyGrammars() {
  const target = fromRoot('dist', 'grammars');
  fs.mkdirSync(target, { recursive: true });
  for (const [name, from] of Object.entries(grammarFiles)) {
    fs.copyFileSync(fromRoot('node_modules', ...from.split('/')), path.join(target, name));
    fs.chmodSync(path.join(target, name), 0o644);
  }
}

/** The ripgrep binary for this platform, beside the bundles that start it. */
export async function copyRipgrep() {
  const { rgPath } = await import('@vscode/ripgrep');
  const target = fromRoot('dist', 'bin', path.basename(rgPath));
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(rgPath, target);
  fs.chmodSync(target, 0o755);
}
