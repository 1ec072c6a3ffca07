import fs from 'node:fs';
import path from 'node:path';
import { grammarFiles } from './bundles.mjs';
import { fromRoot } from './paths.mjs';
import { isLicence, packageOf } from './sidecarModules.mjs';

const llamaCpp = `llama.cpp and ggml (compiled into the binding of node-llama-cpp), MIT
https://github.com/ggml-org/llama.cpp

Copyright (c) 2023-2026 The ggml authors. The terms are those of the MIT licence, as printed for node-llama-cpp.`;

const grammarAuthors = `Grammars of tree-sitter (compiled in @vscode/tree-sitter-wasm), MIT
https://github.com/tree-sitter

JavaScript: Copyright (c) 2014 Max Brunsfeld
TypeScript and TSX: Copyright (c) 2017 Max Brunsfeld
Python: Copyright (c) 2016 Max Brunsfeld
Go: Copyright (c) 2014 Max Brunsfeld
Rust: Copyright (c) 2017 Maxim Sokolov
Java: Copyright (c) 2017 Ayman Nadeem
C++: Copyright (c) 2014 Max Brunsfeld
C#: Copyright (c) 2014-2023 Max Brunsfeld, Damien Guard, Amaan Qureshi, and contributors
Ruby: Copyright (c) 2016 Rob Rix
PHP: Copyright (c) 2017 Josh Vera, GitHub; Copyright (c) 2019 Max Brunsfeld, Amaan Qureshi, Christian Frøystad, Caleb White
The terms are those of the MIT licence, as printed for @vscode/tree-sitter-wasm.`;

/** Writes the licences of everything that is packaged: what esbuild bundled, what the sidecar loads, the grammars, ripgrep and llama.cpp. */
export function writeNotices(file, metafiles, staged) {
  const bundled = Object.values(metafiles).flatMap(metafile => Object.keys(metafile.inputs)).map(packageOf).filter(Boolean);
  const ripgrep = path.join('node_modules', '@vscode', `ripgrep-${process.platform}-${process.arch}`);
  const grammars = Object.values(grammarFiles).map(file => packageOf(path.join('node_modules', file)));
  const folders = [...new Set([...bundled, ...staged, ripgrep, ...grammars])].sort();
  const parts = folders.map(folder => {
    const { name, version, license, homepage } = JSON.parse(fs.readFileSync(fromRoot(folder, 'package.json'), 'utf8'));
    const texts = fs.readdirSync(fromRoot(folder)).filter(isLicence).map(one => fs.readFileSync(fromRoot(folder, one), 'utf8').trim());
    return [`${name} ${version}, ${license}`, homepage, '', ...texts].filter(line => line !== undefined).join('\n');
  });
  fs.writeFileSync(file, `Loupe contains the following software.\n\n${[...parts, grammarAuthors, llamaCpp].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);
}
