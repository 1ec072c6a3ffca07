import fs from 'node:fs';
import path from 'node:path';
import { fromRoot } from './paths.mjs';
import { isLicence, packageOf } from './sidecarModules.mjs';

const llamaCpp = `llama.cpp and ggml (compiled into the binding of node-llama-cpp), MIT
https://github.com/ggml-org/llama.cpp

Copyright (c) 2023-2026 The ggml authors. The terms are those of the MIT licence, as printed for node-llama-cpp.`;

/** Writes the licences of everything that is packaged: what esbuild bundled, what the sidecar loads, ripgrep and llama.cpp. */
export function writeNotices(file, metafiles, staged) {
  const bundled = Object.values(metafiles).flatMap(metafile => Object.keys(metafile.inputs)).map(packageOf).filter(Boolean);
  const ripgrep = path.join('node_modules', '@vscode', `ripgrep-${process.platform}-${process.arch}`);
  const folders = [...new Set([...bundled, ...staged, ripgrep])].sort();
  const parts = folders.map(folder => {
    const { name, version, license, homepage } = JSON.parse(fs.readFileSync(fromRoot(folder, 'package.json'), 'utf8'));
    const texts = fs.readdirSync(fromRoot(folder)).filter(isLicence).map(one => fs.readFileSync(fromRoot(folder, one), 'utf8').trim());
    return [`${name} ${version}, ${license}`, homepage, '', ...texts].filter(line => line !== undefined).join('\n');
  });
  fs.writeFileSync(file, `Loupe contains the following software.\n\n${[...parts, llamaCpp].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
}
