import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../workbench/paths.js';

/** The scripts are plain JavaScript; what a test uses of them is typed here. */
const { grammarFiles } = await import(pathToFileURL(path.join(root, 'scripts', 'lib', 'bundles.mjs')).href) as { grammarFiles: Readonly<Record<string, string>> };

/** Names of the packaged WebAssembly files. */
export const packagedWasm: readonly string[] = Object.keys(grammarFiles);

/** Where a WebAssembly file that is packaged comes from. */
export const wasmFile = (name: string): string => path.join(root, 'node_modules', ...(grammarFiles[name] ?? `absent/${name}`).split('/'));
