import { grammarFiles } from './bundles.mjs';

/** Every file the .vsix must hold, by name in the archive; `extension.vsixmanifest` and `[Content_Types].xml` are the format's own. */
const required = [
  'extension.vsixmanifest', '[Content_Types].xml',
  ...[
    'package.json', 'readme.md', 'changelog.md', 'LICENSE.txt',
    'media/icon.png', 'media/loupe.svg', 'media/trace.svg',
    ...['ask', 'edit', 'inline', 'model', 'trace'].map(name => `media/walkthrough/${name}.md`),
    'dist/extension/main.cjs', 'dist/languageServer/main.cjs', 'dist/sidecar/main.mjs', 'dist/cli/main.mjs', 'dist/mcp/main.mjs', 'dist/mcp/client.mjs',
    'dist/webviews/chat/main.js', 'dist/webviews/chat/main.css', 'dist/webviews/trace/main.js', 'dist/webviews/trace/main.css',
    process.platform === 'win32' ? 'dist/bin/rg.exe' : 'dist/bin/rg',
    ...Object.keys(grammarFiles).map(name => `dist/grammars/${name}`),
    'dist/THIRD_PARTY_NOTICES.txt',
    'dist/sidecar/node_modules/node-llama-cpp/dist/index.js',
  ].map(name => `extension/${name}`),
];

/** Packages that may lie beside the sidecar. A new one, even of the same licence, is a decision: add it here. */
const sidecarPackages = [
  '@huggingface/jinja', '@kwsites/file-exists', '@kwsites/promise-deferred', 'ansi-escapes', 'ansi-regex', 'ansi-styles', 'async-retry', 'bytes',
  'chalk', 'chmodrp', 'cli-cursor', 'cli-spinners', 'cross-spawn', 'emoji-regex', 'env-var', 'filename-reserved-regex', 'filenamify',
  'fs-extra', 'get-east-asian-width', 'graceful-fs', 'ipull', 'is-fullwidth-code-point', 'is-interactive', 'is-unicode-supported', 'isexe',
  'jsonfile', 'lifecycle-utils', 'log-symbols', 'mimic-function', 'nanoid', 'node-llama-cpp', 'onetime', 'ora', 'parse-ms', 'path-key',
  'pretty-ms', 'proper-lockfile', 'restore-cursor', 'retry', 'semver', 'shebang-command', 'shebang-regex', 'signal-exit', 'simple-git',
  'slice-ansi', 'stdin-discarder', 'stdout-update', 'string-width', 'strip-ansi', 'universalify', 'which', 'yoctocolors',
];
const inPackage = /^extension\/dist\/sidecar\/node_modules\/(?:.*\/node_modules\/)?((?:@[^/]+\/)?[^/]+)\/(.+)$/;
const moduleFile = /(^|\/)([\w.@-]+\.(js|cjs|mjs|json)|licen[cs]e[\w.-]*)$/i;
/** Ours, beside the published one: its folder has the platform's name and a hash. */
const ownBindingFile = /^bins\/([\w-]+)\/(_nlcBuildMetadata\.json|llama-addon\.node|lib(ggml|llama)[\w.-]*\.(so|dylib))$/;
const bindingFile = /^(package\.json|LICENSE|dist\/index\.js|bins\/[\w-]+\/(_nlcBuildMetadata\.json|[\w.-]+\.(node|so|dylib|dll|metal|metallib)(\.\d+)*))$/;

function allowed(name, bindingPackage, ownBinding) {
  if (required.includes(name)) return true;
  const [, owner, file] = inPackage.exec(name) ?? [];
  if (owner === undefined) return false;
  if (owner === bindingPackage) return bindingFile.test(file);
  if (owner === 'node-llama-cpp' && file.startsWith('bins/')) return ownBinding !== undefined && ownBindingFile.exec(file)?.[1] === ownBinding;
  return sidecarPackages.includes(owner) && moduleFile.test(file);
}

/**
 * What is wrong with an archive's list of files: one line for each file that should not, or should, be there. `ownBinding`: the folder of
 * our binding, where it was built.
 */
export function checkFiles(names, bindingPackage, ownBinding) {
  const extra = names.filter(name => !allowed(name, bindingPackage, ownBinding)).map(name => `extra: ${name}`);
  const own = ownBinding === undefined ? [] : [`extension/dist/sidecar/node_modules/node-llama-cpp/bins/${ownBinding}/llama-addon.node`];
  const missing = [...required, ...own].filter(name => !names.includes(name)).map(name => `missing: ${name}`);
  return [...extra, ...missing];
}
