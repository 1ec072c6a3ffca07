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
  { name: 'languageServer', entry: 'src/languageServer/main.ts', outfile: 'dist/languageServer/main.cjs', ...commonJs },
  { name: 'sidecar', entry: 'src/sidecar/main.ts', outfile: 'dist/sidecar/main.mjs', ...esModule, external: ['node-llama-cpp'] },
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

/** The ripgrep binary for this platform, beside the bundles that start it. */
export async function copyRipgrep() {
  const { rgPath } = await import('@vscode/ripgrep');
  const target = fromRoot('dist', 'bin', path.basename(rgPath));
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.copyFileSync(rgPath, target);
  fs.chmodSync(target, 0o755);
}
