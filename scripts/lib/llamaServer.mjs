// A real llama.cpp server to test remote endpoints against, built once from the source that node-llama-cpp carries, so that
// server and sidecar are the same release. Kept outside the checkout, under the hash of everything that decides the binary.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { cached } from './cache.mjs';
import { mustRun, which } from './exec.mjs';
import { Stop } from './log.mjs';

const options = [
  '-DCMAKE_BUILD_TYPE=Release', '-DBUILD_SHARED_LIBS=OFF', '-DGGML_NATIVE=OFF', '-DGGML_METAL=OFF',
  '-DLLAMA_CURL=OFF', '-DLLAMA_OPENSSL=OFF', '-DLLAMA_BUILD_BORINGSSL=OFF', '-DLLAMA_USE_PREBUILT_UI=OFF', '-DLLAMA_BUILD_UI=OFF',
  '-DLLAMA_BUILD_TESTS=OFF', '-DLLAMA_BUILD_EXAMPLES=OFF', '-DLLAMA_BUILD_APP=OFF',
  '-DLLAMA_BUILD_NUMBER=0', '-DLLAMA_BUILD_COMMIT=bundled',
];
const binaryName = process.platform === 'win32' ? 'llama-server.exe' : 'llama-server';

/** The git bundle of llama.cpp inside the installed node-llama-cpp. */
function sourceBundle() {
  const entry = fileURLToPath(import.meta.resolve('node-llama-cpp')); // <package>/dist/index.js
  return path.join(path.dirname(path.dirname(entry)), 'llama', 'gitRelease.bundle');
}

/**
 * Not compiled for this very processor (GGML_NATIVE): on one with AMX whose use the system does not grant, as in some virtual machines,
 * that server crashes with the first matrix; and a cache that is carried to another machine would not run there.
 */
async function buildHash(bundle) {
  const source = createHash('sha256');
  await pipeline(fs.createReadStream(bundle), source);
  return createHash('sha256').update(`${source.digest('hex')}\n${options.join('\n')}\n${process.platform}-${process.arch}`).digest('hex').slice(0, 16);
}

/**
 * Path of the server's binary; builds it first unless that was done. Needs git, cmake and a C++ compiler, and takes some
 * minutes, below everything else in priority. A build that was broken off goes on where it stopped.
 */
export async function ensureLlamaServer({ cacheRoot, jobs = os.availableParallelism() }) {
  const bundle = sourceBundle();
  const target = path.join(cacheRoot, 'llama-server', await buildHash(bundle), binaryName);
  return cached('build llama.cpp server', target, async work => {
    for (const tool of ['git', 'cmake']) if (!which(tool)) throw new Stop(`${tool} is needed to build the llama.cpp server for the endpoint tests.`);
    const source = path.join(work, 'source');
    const build = path.join(work, 'build');
    if (!fs.existsSync(path.join(source, 'CMakeLists.txt'))) {
      fs.rmSync(source, { recursive: true, force: true });
      await mustRun('unpacking llama.cpp', 'git', ['clone', '--quiet', bundle, source]);
    }
    await mustRun('configuring llama.cpp', ...niced('cmake', ['-S', source, '-B', build, ...options]));
    await mustRun('building the llama.cpp server', ...niced('cmake', ['--build', build, '--config', 'Release', '--target', 'llama-server', '-j', String(jobs)]));
    const built = [path.join(build, 'bin', binaryName), path.join(build, 'bin', 'Release', binaryName)].find(file => fs.existsSync(file));
    if (!built) throw new Stop(`The build ended without ${binaryName}.`);
    return built;
  });
}

const niced = (command, args) => (process.platform === 'win32' ? [command, args] : ['nice', ['-n', '15', command, ...args]]);
