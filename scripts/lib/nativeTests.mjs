// Builds the library in native/kv with its tests, in several variants, and runs them, and the tests of the engine. Builds are kept outside the checkout, under the hash
// of the sources and of everything else that decides the binary.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cached } from './cache.mjs';
import { canInstallDebianPackages, installDebianPackages } from './debian.mjs';
import { capture, mustRun, run, which } from './exec.mjs';
import { note, Stop } from './log.mjs';
import { runEngineTests } from './native/engineTests.mjs';
import { fromRoot } from './paths.mjs';

const source = fromRoot('native', 'kv');
/** Compiled into its tests besides: storage that is measured and not shipped. */
const variants = fromRoot('native', 'bench', 'variants');
const program = process.platform === 'win32' ? 'loupe-kv-test.exe' : 'loupe-kv-test';
const crossCompiler = 'aarch64-linux-gnu-g++', emulator = 'qemu-aarch64-static';
const limitMs = 5 * 60_000; // for one run of all tests; under an emulator it takes some ten seconds

const release = { name: 'release', options: ['-DCMAKE_BUILD_TYPE=Release'] };
const sanitized = { name: 'sanitized', options: ['-DCMAKE_BUILD_TYPE=RelWithDebInfo', '-DLOUPE_KV_SANITIZE=ON'] };
const aarch64 = {
  name: 'aarch64', compiler: crossCompiler,
  options: [
    '-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_SYSTEM_NAME=Linux', '-DCMAKE_SYSTEM_PROCESSOR=aarch64', `-DCMAKE_CXX_COMPILER=${crossCompiler}`,
    '-DCMAKE_EXE_LINKER_FLAGS=-static', // so that no library of that processor has to be installed where the emulator looks
  ],
};

/** Totals of all variants and of the engine: a test of the library counts once for each instruction set and each variant that it ran in. */
export async function runNativeTests({ cacheRoot, logs, grep }) {
  fs.mkdirSync(logs, { recursive: true });
  const totals = { passed: 0, failed: 0, skipped: 0, failures: [] };
  const add = ({ failures = [], ...counted }) => {
    for (const [key, number] of Object.entries(counted)) totals[key] += number;
    totals.failures.push(...failures);
  };

  const binary = await ensureTests(release, cacheRoot);
  const isas = await grantedIsas(binary);
  let count = 0; // tests in one run
  for (const counted of await twoAtATime(isas, isa => runTests([binary], { name: `release-${isa}`, isa, logs, grep }))) {
    count = Math.max(count, counted.passed + counted.failed);
    add(counted);
  }
  add(await unknownIsaIsIgnored(binary, isas));

  if (process.platform === 'win32') {
    skip('the sanitizers are not used on Windows', count * isas.length);
  } else {
    const checked = await ensureTests(sanitized, cacheRoot);
    (await twoAtATime(isas, isa => runTests([checked], { name: `sanitized-${isa}`, isa, logs, grep }))).forEach(add);
  }

  if (process.arch !== 'arm64') { // there the runs above are these
    if (await crossTools()) add(await runTests([emulator, await ensureTests(aarch64, cacheRoot)], { name: 'aarch64-neon', isa: 'neon', logs, grep }));
    else skip(`${crossCompiler} and ${emulator} are needed for AArch64 (Debian: g++-aarch64-linux-gnu qemu-user-static)`, count);
  }
  add(await runEngineTests({ logs, grep }));
  return totals;

  function skip(why, number) {
    note(`native: ${number} tests skipped: ${why}`);
    add({ skipped: number });
  }
}

/** The tests of the library use one thread. */
async function twoAtATime(all, work) {
  const results = [];
  for (let i = 0; i < all.length; i += 2) results.push(...await Promise.all(all.slice(i, i + 2).map(work)));
  return results;
}

/** Path of the test program of a variant; builds it first unless that was done. */
async function ensureTests(variant, cacheRoot) {
  const target = path.join(cacheRoot, 'native-kv', await buildHash(variant), program);
  return cached(`build native/kv, ${variant.name}`, target, async work => {
    if (!which('cmake')) throw new Stop('cmake and a C++ compiler are needed for the tests of native/kv.');
    const build = path.join(work, 'build');
    fs.rmSync(build, { recursive: true, force: true }); // of another checkout, perhaps
    const generator = which('ninja') && process.platform !== 'win32' ? ['-G', 'Ninja'] : [];
    await mustRun('configuring native/kv', ...niced('cmake', ['-S', source, '-B', build, ...generator, ...variant.options]));
    await mustRun('building native/kv', ...niced('cmake', ['--build', build, '--config', 'Release', '--target', 'loupe-kv-test', '-j', String(os.availableParallelism())]));
    const built = [path.join(build, 'test', program), path.join(build, 'test', 'Release', program)].find(file => fs.existsSync(file));
    if (!built) throw new Stop(`The build of native/kv ended without ${program}.`);
    return built;
  });
}

async function buildHash(variant) {
  const hash = createHash('sha256');
  const files = [source, variants].flatMap(folder => fs.readdirSync(folder, { withFileTypes: true, recursive: true })).filter(entry => entry.isFile())
    .map(entry => path.relative(source, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/')).sort();
  for (const file of files) hash.update(`${file}\n`).update(fs.readFileSync(path.join(source, file))).update('\n');
  const compiler = await capture(variant.compiler ?? process.env.CXX ?? 'c++', ['--version']); // MSVC has no such program: then cmake's choice stands
  return hash.update(`${variant.options.join('\n')}\n${compiler.output}\n${process.platform}-${process.arch}`).digest('hex').slice(0, 16);
}

/** `--isa` prints the instruction set in use, then the ones that the processor grants. */
async function grantedIsas(binary) {
  const env = { ...process.env };
  delete env.LOUPE_KV_ISA;
  const [, ...granted] = (await mustRun('asking for the instruction sets', binary, ['--isa'], { env })).trim().split(' ');
  return granted;
}

/** A name that is none must be said on stderr and otherwise ignored. */
async function unknownIsaIsIgnored(binary, isas) {
  const { code, output } = await capture(binary, ['--isa'], { env: { ...process.env, LOUPE_KV_ISA: 'nonsense' } });
  const right = code === 0 && output.includes(`LOUPE_KV_ISA=nonsense is not granted here; ${isas.at(-1)} is used.`) && output.includes(`${isas.at(-1)} ${isas.join(' ')}`);
  if (!right) note(`native: LOUPE_KV_ISA=nonsense was not ignored with a word: ${output}`);
  return right ? { passed: 1, failed: 0 } : { passed: 0, failed: 1, failures: ['LOUPE_KV_ISA=nonsense was not ignored with a word'] };
}

/** One run of the test program. A run that ends without totals, or runs no test, counts as a failure. */
async function runTests([command, ...args], { name, isa, logs, grep }) {
  const file = path.join(logs, `${name}.log`);
  const log = fs.openSync(file, 'w');
  const code = await run(...niced(command, [...args, ...(grep ? [grep] : [])]), { env: { ...process.env, LOUPE_KV_ISA: isa }, stdio: ['ignore', log, log], limitMs });
  fs.closeSync(log);
  const output = fs.readFileSync(file, 'utf8');
  const last = /^(\d+) passed, (\d+) failed$/.exec(output.trimEnd().split('\n').at(-1)?.trimEnd() ?? '');
  const counted = last ? { passed: Number(last[1]), failed: Number(last[2]) } : { passed: (output.match(/^ok /gm) ?? []).length, failed: 1 };
  const broken = (code !== 0 && counted.failed === 0) || counted.passed + counted.failed === 0;
  if (broken) counted.failed += 1;
  note(`native, ${name}: ${counted.passed} passed, ${counted.failed} failed`);
  if (counted.failed === 0) return counted;
  note(`exit status ${code}\n${output.split('\n').filter(line => !line.startsWith('ok ')).join('\n').slice(-8000)}`);
  return { ...counted, failures: [`${name}, exit status ${code}: ${output.split('\n').filter(line => !line.startsWith('ok ')).join(' | ').slice(0, 600)}`] };
}

/** Whether AArch64 can be compiled for and emulated; on Debian and Ubuntu as root what is missing is installed. */
async function crossTools() {
  const present = () => which(crossCompiler) !== undefined && which(emulator) !== undefined;
  if (process.platform !== 'linux') return false;
  if (!present() && canInstallDebianPackages()) await installDebianPackages('a compiler and an emulator for AArch64', ['g++-aarch64-linux-gnu', 'qemu-user-static']);
  return present();
}

const niced = (command, args) => (process.platform === 'win32' ? [command, args] : ['nice', ['-n', '15', command, ...args]]);
