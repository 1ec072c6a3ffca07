import assert from 'node:assert/strict';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findWindow, openFolders } from '../../../src/agent/window/windowAddress.js';
import { WindowClient } from '../../../src/mcp/workspace/windowClient.js';
import { WindowWorkspace } from '../../../src/mcp/workspace/windowWorkspace.js';
import { windowProtocolVersion, windowRequests } from '../../../src/protocol/window.js';
import { clientName, inFull } from '../../../src/extension/window/clientText.js';
import { fakeWindow, openWindow } from '../../support/mcp/fakeWindow.js';
import { codeOf, ripgrep, withFolder } from '../agent/support/folder.js';

const signal = new AbortController().signal;
const caller = { client: 'test', call: '1' };

/** Everything the other side says before it hangs up, or `still open`. */
function talk(socketName: string, text: string, waitMs = 1_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(socketName, () => socket.write(text));
    let heard = '';
    const timer = setTimeout(() => {
      heard += 'still open';
      socket.destroy();
    }, waitMs);
    socket.on('data', (chunk: Buffer) => { heard += chunk.toString(); });
    socket.on('error', () => undefined); // a reset is a way of hanging up
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(heard);
    });
  });
}

const call = (id: number, method: string, params: unknown): string => {
  const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
};

suite('a window that answers other programs', function () {
  this.timeout(20_000);

  test('is found by its folder, through a file that this user alone can read', () => withFolder({ 'a.ts': 'x' }, async (root, base) => {
    const run = join(base, 'run');
    const server = await openWindow(run, root, fakeWindow(root, ripgrep));
    const address = await findWindow(run, root);
    assert.ok(address);
    assert.deepEqual(await openFolders(run), [root]);
    const [file] = [...(await import('node:fs')).readdirSync(run)].filter((name) => name.endsWith('.json'));
    assert.equal((await stat(join(run, file ?? ''))).mode & 0o777, 0o600);
    if (process.platform !== 'win32') assert.equal((await stat(address.socket)).mode & 0o777, 0o600);
    await chmod(join(run, file ?? ''), 0o644);
    assert.equal(await findWindow(run, root), undefined, 'a file that others could have read is none');
    await chmod(join(run, file ?? ''), 0o600);
    server.dispose();
    assert.deepEqual(await openFolders(run), []);
  }));

  test('tells nobody anything without the token (attack 18)', () => withFolder({ 'a.ts': 'canary' }, async (root, base) => {
    const run = join(base, 'run');
    const window = fakeWindow(root, ripgrep);
    const server = await openWindow(run, root, window);
    const { socket, token } = (await findWindow(run, root))!;
    const hello = (given: string, folder = root): string => call(1, windowRequests.hello.method, { token: given, protocol: windowProtocolVersion, folder });
    const read = call(2, windowRequests.readFile.method, { path: 'a.ts' });
    for (const wrong of ['', 'a'.repeat(64), token.slice(1), `${token}0`]) assert.equal(await talk(socket, hello(wrong) + read), '');
    assert.equal(await talk(socket, read + hello(token)), '');
    assert.equal(await talk(socket, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 7_000), '');
    assert.equal(await talk(socket, 'Content-Length: 99999999999\r\n\r\n' + 'x'.repeat(100_000)), '');
    assert.match(await talk(socket, hello(token, '/elsewhere')), /not open in the window/);
    assert.doesNotMatch(await talk(socket, hello(token, '/elsewhere') + read), /canary/);
    assert.match(await talk(socket, hello(token) + read), /canary/);
    window.allowed = false;
    assert.equal(await talk(socket, hello(token) + read), '', 'not while it may not be offered');
    server.dispose();
  }));

  test('stops answering the moment it is not offered any more', () => withFolder({ 'a.ts': 'x' }, async (root, base) => {
    const run = join(base, 'run');
    const window = fakeWindow(root, ripgrep);
    const server = await openWindow(run, root, window);
    const client = new WindowClient(run, root);
    const workspace = new WindowWorkspace(client);
    assert.equal(await workspace.readFile('a.ts', signal), 'x');
    window.allowed = false;
    assert.equal(await codeOf(workspace.readFile('a.ts', signal)), 'workspace.untrusted');
    assert.equal(await codeOf(workspace.window.runCommand('ls', caller, signal)), 'workspace.untrusted');
    assert.deepEqual(window.effects, []);
    client.dispose();
    server.dispose();
  }));

  test('a folder that is closed is answered about no more, on connections that are open neither', () => withFolder({ 'a.ts': 'x' }, async (root, base) => {
    const run = join(base, 'run');
    const window = fakeWindow(root, ripgrep);
    const server = await openWindow(run, root, window);
    const client = new WindowClient(run, root);
    const workspace = new WindowWorkspace(client);
    assert.equal(await workspace.readFile('a.ts', signal), 'x');
    window.open = false;
    assert.equal(await codeOf(workspace.readFile('a.ts', signal)), 'workspace.none');
    client.dispose();
    server.dispose();
  }));

  test('unsaved text is what is read, and paths are checked on both sides', () => withFolder({ 'a.ts': 'on disk' }, async (root, base) => {
    const run = join(base, 'run');
    const window = fakeWindow(root, ripgrep);
    window.buffers.set('a.ts', 'in the editor');
    const server = await openWindow(run, root, window);
    const client = new WindowClient(run, root);
    const workspace = new WindowWorkspace(client);
    assert.deepEqual(await workspace.read('./a.ts', signal), { text: 'in the editor', unsaved: true });
    assert.equal(await codeOf(workspace.read('../x', signal)), 'path.outsideWorkspace');
    const { token, socket } = (await findWindow(run, root))!;
    const hello = call(1, windowRequests.hello.method, { token, protocol: windowProtocolVersion, folder: root });
    assert.match(await talk(socket, hello + call(2, windowRequests.readFile.method, { path: '../x' })), /path\.outsideWorkspace/);
    assert.match(await talk(socket, hello + call(2, windowRequests.readFile.method, { path: 3 })), /malformed/);
    client.dispose();
    server.dispose();
  }));

  test('a refusal changes nothing, and a cancelled question is withdrawn', () => withFolder({ 'a.ts': 'x' }, async (root, base) => {
    const run = join(base, 'run');
    const window = fakeWindow(root, ripgrep);
    const server = await openWindow(run, root, window);
    const client = new WindowClient(run, root);
    const { window: actions } = new WindowWorkspace(client);
    window.decide = async () => 'rejected';
    assert.equal((await actions.proposeEdit({ path: 'a.ts', new: 'y' }, caller, signal)).outcome, 'refused');
    let withdrawn = false;
    window.decide = (_, asked) => new Promise((__, reject) => {
      asked.addEventListener('abort', () => {
        withdrawn = true;
        reject(asked.reason as Error);
      });
    });
    const controller = new AbortController();
    const asking = actions.runCommand('ls', caller, controller.signal);
    setTimeout(() => controller.abort(), 100);
    await assert.rejects(asking, { name: 'AbortError' });
    const gone = actions.proposeEdit({ path: 'a.ts', new: 'z' }, { ...caller, call: '2' }, signal);
    setTimeout(() => client.dispose(), 100);
    assert.equal(await codeOf(gone), 'workspace.none');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual([withdrawn, window.effects], [true, []]);
    server.dispose();
  }));

  test('the connection is made anew after a reload of the window, and without one it is said what to do', () => withFolder({ 'a.ts': 'x' }, async (root, base) => {
    const run = join(base, 'run');
    const client = new WindowClient(run, root);
    const workspace = new WindowWorkspace(client);
    assert.equal(await codeOf(workspace.readFile('a.ts', signal)), 'workspace.none');
    for (let reload = 0; reload < 2; reload++) {
      const server = await openWindow(run, root, fakeWindow(root, ripgrep));
      assert.equal(await workspace.readFile('a.ts', signal), 'x');
      server.dispose();
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(await codeOf(workspace.readFile('a.ts', signal)), 'workspace.none');
    }
    client.dispose();
  }));

  test('an address of a process that is gone, or that somebody else wrote, is none', () => withFolder({}, async (root, base) => {
    const run = join(base, 'run');
    const server = await openWindow(run, root, fakeWindow(root, ripgrep));
    const file = join(run, (await import('node:fs')).readdirSync(run).find((name) => name.endsWith('.json')) ?? '');
    const address = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    for (const changed of [{ ...address, pid: 2 ** 22 + 1 }, { ...address, folder: '/elsewhere' }, { ...address, token: 'short' }, {}]) {
      await writeFile(file, JSON.stringify(changed));
      assert.equal(await findWindow(run, root), undefined, JSON.stringify(changed));
    }
    await writeFile(file, '{');
    assert.equal(await findWindow(run, root), undefined);
    server.dispose();
  }));

  test('names are short and on one line; a command whose end would be out of sight is not asked', () => {
    assert.equal(clientName(' a\nb\u202ec '), 'a b\\u{202e}c');
    assert.equal(clientName(''), 'A program');
    assert.equal(clientName('x'.repeat(100)).length, 41);
    assert.equal(inFull('ls\u200b'), 'ls\\u{200b}');
    assert.throws(() => inFull(`ls${' '.repeat(2_000)}; rm -rf .`), { name: 'LoupeFailure' });
    assert.throws(() => inFull('ls\n'.repeat(30)), { name: 'LoupeFailure' });
  });
});
