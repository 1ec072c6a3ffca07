// What building the binding needs on this machine, and how it is compiled.
import fs from 'node:fs';
import { capture, which } from '../exec.mjs';

/** Platforms that the binding is built and tested for; on the others the prebuilt one of node-llama-cpp serves. */
const platforms = ['linux-x64', 'linux-arm64'];
export const platform = `${process.platform}-${process.arch}`;

/**
 * The x86 variants that differ in what users notice: one without AVX, one with, AVX2, AVX2 with VNNI, AVX-512, and that with VNNI and
 * with BF16, and with AMX.
 */
const variants = ['x64', 'sandybridge', 'haswell', 'alderlake', 'skylakex', 'cascadelake', 'zen4', 'sapphirerapids'];

/** Program names that are looked for, in order of preference. */
const programs = [
  ['git', ['git']], ['cmake 3.19 or newer', ['cmake']], ['ninja or make', ['ninja', 'make']], ['a C++17 compiler (g++ or clang++)', ['c++', 'g++', 'clang++']],
  ['a C compiler (gcc or clang)', ['cc', 'gcc', 'clang']],
];

/** What is missing here, for people; empty when the binding can be built. */
export async function missingTools() {
  if (!platforms.includes(platform)) return [`support for ${platform}: Loupe's binding is built for ${platforms.join(' and ')} so far`];
  const missing = programs.filter(([, names]) => !names.some(name => which(name))).map(([what]) => what);
  if (which('cmake') && !(await newEnough())) missing.push('cmake 3.19 or newer');
  return missing;
}

async function newEnough() {
  const [, major, minor] = /version (\d+)\.(\d+)/.exec((await capture('cmake', ['--version'])).output) ?? [];
  return Number(major) > 3 || (Number(major) === 3 && Number(minor) >= 19);
}

/** Name and version of the compiler that CMake will choose. */
export async function compilerId() {
  const { output } = await capture(process.env.CXX ?? 'c++', ['--version']);
  return output.split('\n')[0];
}

/** Flags that decide the binary; hashed. Paths are not among them. */
const common = [
  '-DCMAKE_BUILD_TYPE=Release', '-DGGML_NATIVE=OFF', '-DGGML_OPENMP=OFF', '-DGGML_METAL=OFF', '-DGGML_CCACHE=OFF', '-DGGML_BUILD_NUMBER=1',
  '-DLLAMA_BUILD_NUMBER=0', '-DLLAMA_BUILD_COMMIT=bundled', '-DLLAMA_CURL=OFF', '-DLLAMA_HTTPLIB=OFF', '-DLLAMA_BUILD_BORINGSSL=OFF', '-DLLAMA_OPENSSL=OFF',
  '-DLLAMA_BUILD_UI=OFF',
];

/** For the binding: one library for each variant of the processor, chosen when it is loaded. */
export const bindingFlags = [
  ...common, '-DGGML_CPU_ALL_VARIANTS=ON', '-DGGML_BACKEND_DL=ON', ...(process.arch === 'x64' ? [`-DGGML_CPU_VARIANTS=${variants.join(';')}`] : []),
  `-DNLC_CURRENT_PLATFORM=${platform}`, `-DNLC_TARGET_PLATFORM=${platform}`, '-DNLC_VARIANT=loupe', '-DCMAKE_JS_VERSION=8.0.0',
  // Nobody debugs what users get, and the symbols are a third of it.
  '-DCMAKE_SHARED_LINKER_FLAGS=-s', '-DCMAKE_MODULE_LINKER_FLAGS=-s',
];

/**
 * For llama.cpp's own programs: one library, since its unit tests cannot load variants, for the instruction sets of this processor (the same
 * as those of the variants).
 */
export const toolsFlags = () => [...common, '-DBUILD_SHARED_LIBS=OFF', '-DLLAMA_BUILD_EXAMPLES=OFF', '-DLLAMA_BUILD_APP=OFF', '-DLLAMA_BUILD_SERVER=OFF', ...processorFlags()];

function processorFlags() {
  if (process.arch !== 'x64') return [];
  const has = new Set((/^flags\s*:(.*)$/m.exec(fs.readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? '').trim().split(' '));
  const sets = {
    AVX: 'avx', AVX2: 'avx2', FMA: 'fma', F16C: 'f16c', BMI2: 'bmi2', AVX512: 'avx512bw', AVX512_VBMI: 'avx512vbmi', AVX512_VNNI: 'avx512_vnni', AVX512_BF16: 'avx512_bf16',
    AMX_TILE: 'amx_tile', AMX_INT8: 'amx_int8',
  };
  return Object.entries(sets).map(([name, flag]) => `-DGGML_${name}=${has.has(flag) ? 'ON' : 'OFF'}`);
}

/** Everything of ours below other work, as builds take minutes. */
export const niced = (command, args) => (which('nice') ? ['nice', ['-n', '15', command, ...args]] : [command, args]);
export const generator = () => (which('ninja') ? ['-G', 'Ninja'] : []);
