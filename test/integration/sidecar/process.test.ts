import { strict as assert } from 'node:assert';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, readAddress, shortHash } from '../../../src/model/sidecar/stateFiles.js';
import { code, generate, plain, request, sidecarEntry, value, waitUntil, Workplace } from '../../support/sidecar/harness.js';

/** Real processes, no model. */
suite('Sidecar process', () => {
  let place: Workplace;
  setup(async () => { place = await Workplace.make(); });
  teardown(() => place.end());

  test('many clients that start at once share one process', async () => {
    const hellos = await Promise.all([1, 2, 3, 4].map((i) => place.client({ client: `c${i}` }).start()));
    assert.equal(new Set(hellos.map((hello) => value(hello).pid)).size, 1);
  });

  test('keeps its files to this user, and its token out of the command line', async function () {
    if (process.platform !== 'linux') this.skip();
    value(await place.client().start());
    const address = await readAddress(place.files().address);
    assert.ok(address);
    const modes = await Promise.all([place.stateDir, place.files().address, address.socket].map(async (path) => (await stat(path)).mode & 0o777));
    assert.deepEqual(modes, [0o700, 0o600, 0o600]);
    const commandLine = await readFile(`/proc/${address.pid}/cmdline`, 'utf8');
    const environment = await readFile(`/proc/${address.pid}/environ`, 'utf8');
    assert.ok(!commandLine.includes(address.token) && !environment.includes(address.token));
  });

  test('is gone, with its socket, within 10 s of its last client', async () => {
    const [a, b] = [place.client(), place.client()];
    const { pid } = value(await a.start());
    value(await b.start());
    a.dispose();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.ok(isAlive(pid), 'the other client still needs it');
    b.dispose();
    await waitUntil('the end of the sidecar', () => !isAlive(pid), 10_000);
    assert.deepEqual([await place.sockets(), await place.pid()], [[], undefined]);
  });

  test('is gone within 10 s after its client was killed', async () => {
    const child = fork(fileURLToPath(new URL('../../support/sidecar/clientProcess.js', import.meta.url)), [place.stateDir]);
    const [pid] = await once(child, 'message') as [number];
    assert.ok(isAlive(pid));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await waitUntil('the end of the sidecar', () => !isAlive(pid), 10_000);
    assert.deepEqual([await place.sockets(), await place.pid()], [[], undefined]);
  });

  test('is gone within 10 s when no client ever comes', async () => {
    const child = spawn(process.execPath, [sidecarEntry, '--state-dir', place.stateDir, '--build', 'test'], { stdio: 'ignore' });
    const ended = once(child, 'exit');
    await waitUntil('its address', async () => (await place.pid()) !== undefined, 10_000);
    const began = performance.now();
    await ended;
    assert.ok(performance.now() - began < 10_000);
    assert.deepEqual([await place.sockets(), await place.pid()], [[], undefined]);
  });

  test('a stale lock and a stale address do not keep it from starting', async () => {
    const dead = spawn(process.execPath, ['-e', '0']);
    await once(dead, 'exit');
    await writeFile(place.files().lock, String(dead.pid));
    await writeFile(place.files().address, JSON.stringify({ socket: join(place.stateDir, 'gone'), token: 'a'.repeat(64), pid: dead.pid, build: 'test' }), { mode: 0o600 });
    value(await place.client().start());
  });

  test('takes the next name when its socket is taken, and never talks to the stranger there', async function () {
    if (process.platform === 'win32') this.skip();
    let heard = 0;
    const stranger = createServer((socket) => socket.on('data', () => heard++));
    const name = join(place.stateDir, `s-${shortHash('test')}-0`);
    await new Promise<void>((resolve) => stranger.listen(name, resolve));
    try {
      value(await place.client().start());
      assert.equal((await readAddress(place.files().address))?.socket, join(place.stateDir, `s-${shortHash('test')}-1`));
      assert.equal(heard, 0);
    } finally {
      stranger.close();
    }
  });

  test('a live process that only claims to be the sidecar is not believed', async function () {
    if (process.platform === 'win32') this.skip();
    const name = join(place.stateDir, 'stranger');
    const stranger = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => stranger.listen(name, resolve));
    try {
      await writeFile(place.files().address, JSON.stringify({ socket: name, token: 'a'.repeat(64), pid: process.ppid, build: 'test' }), { mode: 0o600 });
      const hello = value(await place.client().start());
      assert.notEqual(hello.pid, process.ppid);
    } finally {
      stranger.close();
    }
  });

  test('builds do not share a process', async () => {
    const one = value(await place.client({ build: 'one' }).start());
    const two = value(await place.client({ build: 'two' }).start());
    assert.notEqual(one.pid, two.pid);
    for (const { pid } of [one, two]) process.kill(pid, 'SIGKILL');
  });

  test('an entry that cannot start is an error with its reason, not a loop without end', async () => {
    const broken = join(place.stateDir, 'broken.mjs');
    await writeFile(broken, 'throw new Error("no engine here")');
    const result = await place.client({ entry: broken }).start();
    assert.equal(code(result), 'sidecar.crashLoop');
    assert.match(result.ok ? '' : result.error.next, /Restart Sidecar/);
    assert.match(await readFile(place.files().stderr, 'utf8'), /no engine here/);
  });

  test('without a model, requests say so', async () => {
    const client = place.client();
    assert.equal(code((await generate(client, request(plain('x')))).result), 'model.none');
    assert.equal(code(await client.audit('completion')), 'model.none');
  });

  test('an open client does not keep its own process alive', async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('../../support/sidecar/clientProcess.js', import.meta.url)), place.stateDir, 'leave'], { stdio: 'ignore' });
    const [exit] = await once(child, 'exit') as [number];
    assert.equal(exit, 0);
  });
});
