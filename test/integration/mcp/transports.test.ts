import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ResourceListChangedNotificationSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import type { WindowServer } from '../../../src/extension/window/windowServer.js';
import { type Calls, folderCalls, windowCalls } from '../../support/mcp/calls.js';
import { fakeWindow, type FakeWindow, openWindow } from '../../support/mcp/fakeWindow.js';
import { alive } from '../../support/mcp/folderServers.js';
import { bundle, callTool, type HttpProcess, overHttp, overStdio, startHttp } from '../../support/mcp/served.js';
import { ripgrep } from '../../unit/agent/support/folder.js';
import { commitAll } from '../../unit/mcp/support.js';

suite('MCP: the shipped server and the SDK\'s own client', function () {
  this.timeout(60_000);
  let base: string;
  let folder: string;
  let cache: string;
  let window: FakeWindow;
  let server: WindowServer;
  let headless: HttpProcess;
  let attached: HttpProcess;

  suiteSetup(async () => {
    base = await realpath(await mkdtemp(join(tmpdir(), 'loupe-mcp-')));
    folder = join(base, 'app');
    cache = join(base, 'cache');
    await mkdir(folder);
    await writeFile(join(folder, 'a.ts'), 'export function load() {}\n');
    commitAll(folder);
    await writeFile(join(folder, 'a.ts'), 'export function load() { return 1; }\n');
    window = fakeWindow(folder, ripgrep);
    server = await openWindow(join(cache, 'run'), folder, window);
    headless = await startHttp({ args: ['--folder', folder], folder, cache: join(base, 'headless') });
    attached = await startHttp({ args: ['--window', folder], folder, cache });
  });
  suiteTeardown(async () => {
    await Promise.all([headless.stop(), attached.stop()]);
    server.dispose();
    await rm(base, { recursive: true, force: true });
  });

  const ways: readonly (readonly [string, Calls, () => Promise<Client>])[] = [
    ['a folder over stdio', folderCalls, () => overStdio({ args: ['--folder', folder], folder, cache })],
    ['a folder over HTTP', folderCalls, () => overHttp(headless)],
    ['a window over stdio', windowCalls, () => overStdio({ args: ['--window', folder], folder, cache })],
    ['a window over HTTP', windowCalls, () => overHttp(attached)],
  ];
  for (const [name, expected, open] of ways) {
    test(`${name}: every tool, resource and prompt`, async () => {
      const client = await open();
      assert.equal(client.getServerVersion()?.name, 'loupe');
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map((tool) => tool.name).sort(), Object.keys(expected).sort());
      for (const tool of tools) {
        const { failed, text, data } = await callTool(client, tool.name, expected[tool.name]);
        assert.deepEqual([failed, text !== '', Object.keys(data).length > 0], [false, true, true], `${tool.name}: ${text}`);
      }
      const { resources } = await client.listResources();
      for (const { uri } of resources) assert.equal((await client.readResource({ uri })).contents.length, 1, uri);
      assert.ok(resources.some(({ uri }) => uri === pathToFileURL(join(folder, 'a.ts')).href));
      assert.equal(resources.some(({ uri }) => uri === 'loupe://diagnostics'), expected === windowCalls);
      assert.ok((await client.listResourceTemplates()).resourceTemplates.length > 0);
      for (const prompt of (await client.listPrompts()).prompts) {
        const { messages } = await client.getPrompt({ name: prompt.name, arguments: prompt.arguments?.some((one) => one.required === true) ? { path: 'a.ts' } : {} });
        assert.equal(messages.length, 1, prompt.name);
      }
      await client.ping();
      await client.close();
    });
  }

  for (const [name, , open] of ways) {
    test(`${name}: a change is told to who has subscribed`, async () => {
      const client = await open();
      const heard = new Set<string>();
      client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.add(params.uri));
      client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void heard.add('list'));
      const uri = pathToFileURL(join(folder, 'a.ts')).href;
      await client.subscribeResource({ uri });
      await client.listResources();
      const wanted = new Set([uri, 'list']);
      for (let i = 0; i < 50 && heard.size < wanted.size; i++) { // over HTTP the stream for notifications opens a moment later
        window.changes.file('a.ts');
        window.changes.list();
        await writeFile(join(folder, 'a.ts'), 'export function load() { return 1; }\n');
        await writeFile(join(folder, `new${i}.txt`), '');
        await new Promise((resolve) => setTimeout(resolve, 200));
        await rm(join(folder, `new${i}.txt`));
      }
      assert.deepEqual(heard, wanted);
      await client.close();
    });
  }

  test('unsaved text of the window is read; the user\'s refusal is told as one', async () => {
    window.buffers.set('a.ts', 'not on disk');
    const client = await overStdio({ args: ['--window', folder], folder, cache }, 'Some Client');
    const read = await callTool(client, 'read_file', { path: 'a.ts' });
    assert.deepEqual([read.data['text'], read.data['unsaved']], ['not on disk', true]);
    assert.match(read.text, /\[with unsaved changes\]$/);
    window.buffers.delete('a.ts');
    window.decide = async (what) => {
      assert.equal(what, 'Some Client runs rm -rf .');
      return 'rejected';
    };
    const refused = await callTool(client, 'run_command', { command: 'rm -rf .' });
    assert.deepEqual([refused.failed, refused.data['outcome']], [true, 'refused']);
    window.decide = async () => 'accepted';
    await client.close();
  });

  test('while the user decides, progress is told; cancelling withdraws the question', async () => {
    const client = await overHttp(attached);
    let asked: AbortSignal | undefined;
    window.decide = (_, signal) => new Promise((__, reject) => {
      asked = signal;
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    const controller = new AbortController();
    const told: (string | undefined)[] = [];
    const waiting = client.callTool({ name: 'propose_edit', arguments: { path: 'a.ts', new: 'x' } }, undefined, { signal: controller.signal, onprogress: ({ message }) => told.push(message) });
    while (asked === undefined || told.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort();
    await assert.rejects(waiting);
    for (let i = 0; i < 100 && !asked.aborted; i++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([asked.aborted, told[0]], [true, 'Waiting for the user']);
    window.decide = async () => 'accepted';
    await client.close();
  });

  test('a client that goes away ends what it asked, and the process', async () => {
    const client = await overStdio({ args: ['--window', folder], folder, cache });
    const { pid } = client.transport as unknown as { pid: number };
    await client.close();
    for (let i = 0; i < 100 && alive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(alive(pid), false);
  });

  test('what is no message is passed over; one without end closes the connection and ends the process', async () => {
    const child = spawn(process.execPath, [bundle, '--folder', folder], { stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    let heard = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => { heard += text; });
    child.stdin.on('error', () => undefined); // it stops reading
    child.stdin.write(`nonsense\n{"jsonrpc":"2.0"}\n[]\n\n{"jsonrpc":"2.0","id":7,"method":"ping"}\n`);
    for (let i = 0; i < 200 && !heard.includes('"id":7'); i++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.match(heard, /^\{"result":\{\},"jsonrpc":"2\.0","id":7\}\n$/);
    child.stdin.write('x'.repeat(11_000_000));
    assert.equal(await ended, 0);
  });

  const raw = (headers: Record<string, string>, body: string, { method = 'POST', path = '/mcp' } = {}): Promise<{ readonly status: number; readonly text: string; readonly headers: Record<string, unknown> }> => new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: headless.port, method, path, headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk; }).on('end', () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
  const initialize = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } });

  test('attack 18: on the real port an evil Host or Origin is forbidden, nobody is let in without the token, and none of them learns anything', async () => {
    const authorization = `Bearer ${headless.token}`;
    const evil: readonly (readonly [number, Record<string, string>])[] = [
      [403, { authorization, host: 'evil.example' }], [403, { authorization, host: `evil.example:${headless.port}` }], [403, { host: 'evil.example' }],
      [403, { authorization, origin: 'http://evil.example' }], [403, { authorization, origin: 'null' }], [403, { origin: 'http://evil.example' }],
      [401, {}], [401, { authorization: '' }], [401, { authorization: 'Bearer wrong' }], [401, { authorization: headless.token }],
    ];
    for (const method of ['POST', 'GET', 'DELETE', 'OPTIONS']) {
      for (const [status, headers] of evil) {
        const answer = await raw(headers, method === 'POST' ? initialize : '', { method });
        const allows = Object.keys(answer.headers).filter((name) => name.startsWith('access-control') || name === 'mcp-session-id');
        assert.deepEqual([answer.status, allows, /loupe|workspace|tools/i.test(answer.text)], [status, [], false], `${method} ${JSON.stringify(headers)}: ${answer.text}`);
      }
    }
    const status = async (headers: Record<string, string>): Promise<number> => (await raw(headers, initialize)).status;
    assert.deepEqual([
      await status({ authorization }), await status({}), await status({ authorization: 'Bearer wrong' }), await status({ authorization, host: 'evil.example' }), await status({ authorization, origin: 'http://evil.example' }),
    ], [200, 401, 401, 403, 403]);
    const preflight = await raw({ origin: 'http://evil.example', 'access-control-request-method': 'POST' }, '', { method: 'OPTIONS' });
    assert.deepEqual([preflight.status, Object.keys(preflight.headers).some((name) => name.startsWith('access-control'))], [403, false]);
    const notHere = await raw({ authorization, 'mcp-session-id': 'made-up' }, JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' }));
    assert.equal(notHere.status, 404);
    const without = await raw({ authorization }, JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/list' }));
    assert.equal(without.status, 400);
    assert.ok((await raw({ authorization }, '{"nonsense"')).status >= 400);
    assert.equal((await raw({ authorization }, `"${'x'.repeat(5_000_000)}"`)).status, 413);
  });

  test('port and token stay the same over a restart, so that copied configuration stays right', async () => {
    const before = [headless.port, headless.token];
    await headless.stop();
    headless = await startHttp({ args: ['--folder', folder], folder, cache: join(base, 'headless') });
    assert.deepEqual([headless.port, headless.token], before);
    const second = await startHttp({ args: ['--folder', folder], folder, cache: join(base, 'headless') });
    assert.notEqual(second.port, headless.port, 'a port that is taken is not waited for');
    assert.equal(second.token, headless.token);
    await second.stop();
  });
});
