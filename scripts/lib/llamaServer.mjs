// A real llama.cpp server to test remote endpoints against, built once from the source that node-llama-cpp carries, so that
// server and sidecar are the same release. Kept outside the checkout, under the hash of everything that decides the binary.
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const options = [
  '-DCMAKE_BUILD_TYPE=Release', '-DBUILD_SHARED_LIBS=OFF', '-DGGML_NATIVE=ON', '-DGGML_METAL=OFF',
  '-DLLAMA_CURL=OFF', '-DLLAMA_OPENSSL=OFF', '-DLLAMA_BUILD_BORINGSSL=OFF', '-DLLAMA_USE_PREBUILT_UI=OFF', '-DLLAMA_BUILD_UI=OFF',
  '-DLLAMA_BUILD_TESTS=OFF', '-DLLAMA_BUILD_EXAMPLES=OFF', '-DLLAMA_BUILD_APP=OFF',
  '-DLLAMA_BUILD_NUMBER=0', '-DLLAMA_BUILD_COMMIT=bundled',
];
const binaryName = process.platform === 'win32' ? 'llama-server.exe' : 'llama-server';

/** Path of the source bundle inside the installed node-llama-cpp. */
function sourceBundle() {
  const entry = fileURLToPath(import.meta.resolve('node-llama-cpp')); // <package>/dist/index.js
  return path.join(path.dirname(path.dirname(entry)), 'llama', 'gitRelease.bundle');
}

async function sourceHash(bundle) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(bundle), hash);
  // GGML_NATIVE compiles for this machine, so a cache carried to another platform must not match.
  return createHash('sha256').update(`${hash.digest('hex')}\n${options.join('\n')}\n${process.platform}-${process.arch}`).digest('hex').slice(0, 16);
}

/** Where the server of this source and these options lies, whether it is built or not. */
export async function llamaServerPath(cacheRoot) {
  return path.join(cacheRoot, 'llama-server', await sourceHash(sourceBundle()), binaryName);
}

/** The server if it is there already; undefined otherwise. Never builds. */
export async function findLlamaServer(cacheRoot) {
  const binary = await llamaServerPath(cacheRoot);
  return existsSync(binary) ? binary : undefined;
}

/**
 * Builds the server unless it is there. Needs git, cmake and a C++ compiler; takes some minutes. Two processes at once
 * build side by side and the first one to finish wins.
 * @param {{ cacheRoot: string, jobs?: number, log?: (line: string) => void }} input
 * @returns {Promise<string>} path of the binary
 */
export async function ensureLlamaServer({ cacheRoot, jobs = 1, log = () => undefined }) {
  const binary = await llamaServerPath(cacheRoot);
  if (existsSync(binary)) return binary;
  const parent = path.dirname(path.dirname(binary));
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(path.join(parent, 'build-'));
  try {
    const source = path.join(work, 'source');
    const build = path.join(work, 'build');
    log('Unpacking the llama.cpp source that node-llama-cpp carries.');
    await run('git', ['clone', '--quiet', sourceBundle(), source]);
    await logged('cmake', ['-S', source, '-B', build, ...options], log);
    await logged('cmake', ['--build', build, '--config', 'Release', '--target', 'llama-server', '-j', String(jobs)], log);
    const built = [path.join(build, 'bin', binaryName), path.join(build, 'bin', 'Release', binaryName)].find(existsSync);
    if (!built) throw new Error(`The build ended without ${binaryName}.`);
    await mkdir(path.dirname(binary), { recursive: true });
    await rename(built, binary);
    return binary;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Runs a build step below everything else in priority; its last lines are in the error when it fails. */
function logged(command, args, log) {
  const niced = process.platform === 'win32' ? [command, args] : ['nice', ['-n', '15', command, ...args]];
  return new Promise((resolve, reject) => {
    const child = spawn(niced[0], niced[1], { stdio: ['ignore', 'pipe', 'pipe'] });
    const tail = [];
    const keep = (chunk) => {
      for (const line of String(chunk).split('\n').filter(Boolean)) {
        tail.push(line);
        if (tail.length > 30) tail.shift();
        log(line);
      }
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ended with ${code}:\n${tail.join('\n')}`));
    });
  });
}

if (process.argv[1] === import.meta.filename) {
  const cacheRoot = process.argv[2];
  if (!cacheRoot) throw new Error('Usage: node scripts/lib/llamaServer.mjs CACHE_ROOT');
  console.log(await ensureLlamaServer({ cacheRoot, log: (line) => console.error(line) }));
}
