import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { silentLogger } from '../../../../src/base/logger.js';
import { McpServers } from '../../../../src/extension/mcp/client/mcpServers.js';
import type { McpServer } from '../../../../src/extension/mcp/client/mcpServer.js';
import { parseServers, type ServerConfig } from '../../../../src/extension/mcp/client/serverConfig.js';
import { ServerStore } from '../../../../src/extension/mcp/client/serverStore.js';
import { FakeTime } from '../../agent/support/fakeTime.js';
import { withFolder } from '../../agent/support/folder.js';
import { broken, definition, ScriptedConnections } from './scriptedConnections.js';

interface Made { readonly servers: McpServers; readonly connections: ScriptedConnections; readonly time: FakeTime; readonly records: string; readonly root: string; readonly again: () => McpServers }

const user = (entries: Record<string, object>): readonly ServerConfig[] => parseServers(entries, 'user').servers;
const workspace = (entries: Record<string, object>): readonly ServerConfig[] => parseServers(entries, 'workspace').servers;
const none = new AbortController().signal;
/** Whatever waits for nothing but promises, or for a small file. */
const settle = async (): Promise<void> => { for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve)); };

const withScripted = (act: (made: Made) => Promise<void>, trusted: () => boolean = () => true, configured?: () => Promise<void>): Promise<void> => withFolder({}, async (root, base) => {
  const time = new FakeTime();
  const connections = new ScriptedConnections();
  const records = join(base, 'records');
  const again = (): McpServers => new McpServers({
    folder: root, connections, store: new ServerStore(records), values: { home: '/h', env: {} }, trusted, callMs: () => 1_000, clock: time, timers: time, logger: silentLogger, ...(configured ? { configured } : {}),
  });
  const servers = again();
  await act({ servers, connections, time, records, root, again });
  servers.dispose();
});
const only = (servers: McpServers): McpServer => {
  const [server] = servers.all;
  assert.ok(server);
  return server;
};

suite('MCP client: servers of a folder', () => {
  test('the first list is accepted with the yes; later windows know the tools without a start', () => withScripted(async ({ servers, connections, again }) => {
    await servers.update(user({ s: { command: 'x' } }));
    const first = await servers.toolsOf('c', none);
    assert.deepEqual([first.tools.map(({ name }) => name), first.starts.map(({ server, problem }) => [server, problem]), connections.plans.length], [['echo'], [['s', undefined]], 1]);
    const later = again();
    await later.update(user({ s: { command: 'x' } }));
    assert.deepEqual([(await later.toolsOf('d', none)).tools.map(({ name }) => name), connections.plans.length], [['echo'], 1]);
    await later.update(user({ s: { command: 'y' } }));
    assert.deepEqual(later.upcoming(), [], 'another command: what was accepted of tools counts no more');
    later.dispose();
  }));

  test('a server that had no tool is asked again in the next window, and its first list that has one is accepted', () => withScripted(async ({ servers, connections, again }) => {
    connections.tools = [];
    await servers.update(user({ s: { command: 'x' } }));
    assert.deepEqual((await servers.toolsOf('c', none)).tools, []);
    connections.tools = [definition('echo')];
    const later = again();
    await later.update(user({ s: { command: 'x' } }));
    assert.deepEqual([(await later.toolsOf('d', none)).tools.map(({ name }) => name), only(later).changes], [['echo'], []]);
    later.dispose();
  }));

  test('a question that comes before the configuration is read waits for it', async () => {
    let read: () => void = () => undefined;
    const configured = new Promise<void>((resolve) => { read = resolve; });
    await withScripted(async ({ servers }) => {
      const asked = servers.toolsOf('c', none);
      await settle();
      await servers.update(user({ s: { command: 'x' } }));
      read();
      assert.equal((await asked).tools.length, 1);
    }, undefined, () => configured);
  });

  test('a conversation keeps the tools that it began with', () => withScripted(async ({ servers }) => {
    await servers.update(user({ s: { command: 'x' } }));
    const { tools } = await servers.toolsOf('c', none);
    await servers.update(user({ s: { command: 'x' }, t: { command: 'y' } }));
    assert.equal((await servers.toolsOf('c', none)).tools, tools);
    assert.deepEqual((await servers.toolsOf('d', none)).tools.map(({ server }) => server), ['s', 't']);
    await servers.update([]);
    assert.equal((await servers.toolsOf('c', none)).tools, tools);
    assert.throws(() => servers.starting(tools[0]!, none), /not configured any more/);
    assert.deepEqual(servers.upcoming(), []);
  }));

  test('fault 22: a server that crashes is started again after pauses that grow; the fifth crash in three minutes ends it, with one message, until it is restarted', () => withScripted(async ({ servers, connections, time }) => {
    await servers.update(user({ s: { command: 'x' } }));
    await servers.toolsOf('c', none);
    const server = only(servers);
    const states: string[] = [];
    server.onDidChange(() => { if (states.at(-1) !== server.state.state) states.push(server.state.state); });
    for (const [index, pause] of [0, 250, 500, 1000].entries()) {
      connections.crash(server.id);
      assert.equal(server.state.state, 'restarting');
      time.advance(Math.max(0, pause - 1));
      await settle();
      if (pause > 0) assert.equal(connections.plans.length, 1 + index, `not before ${pause} ms`);
      time.advance(1);
      await settle();
      assert.deepEqual([connections.plans.length, server.state.state], [2 + index, 'running']);
    }
    connections.crash(server.id);
    assert.ok(server.state.state === 'failed' && server.state.error.code === 'mcp.crashLoop');
    time.advance(60_000);
    await settle();
    assert.equal(connections.plans.length, 5, 'nothing starts it');
    await assert.rejects(server.start(none) ?? Promise.resolve(), /five times within three minutes/);
    assert.equal(states.filter((state) => state === 'failed').length, 1);
    await server.restart();
    assert.deepEqual([connections.plans.length, server.state.state], [6, 'running']);
    connections.crash(server.id);
    assert.equal(server.state.state, 'restarting', 'what was before the restart counts no more');
  }));

  test('a start that fails is told and not repeated by itself; the next call tries again', () => withScripted(async ({ servers, connections, time }) => {
    connections.outcome = broken;
    await servers.update(user({ s: { command: 'x' } }));
    const { starts, tools } = await servers.toolsOf('c', none);
    assert.deepEqual([starts[0]?.problem, tools], [broken.message, []]);
    time.advance(60_000);
    await settle();
    assert.equal(connections.plans.length, 1);
    assert.deepEqual((await servers.toolsOf('d', none)).starts, [], 'the next conversation does not wait for it');
    connections.outcome = 'ok';
    await only(servers).start(none);
    assert.equal(only(servers).state.state, 'running');
  }));

  test('a stop ends the waiting for a start; a start that is called off is no crash', () => withScripted(async ({ servers, connections }) => {
    connections.outcome = 'hang';
    await servers.update(user({ s: { command: 'x' } }));
    const controller = new AbortController();
    const waiting = servers.toolsOf('c', controller.signal);
    await settle();
    controller.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    const starting = only(servers).start(none);
    await only(servers).stop();
    await assert.rejects(starting ?? Promise.resolve(), /called off/);
    connections.outcome = 'ok';
    await only(servers).restart();
    assert.equal(only(servers).state.state, 'running');
  }));

  test('attack 4: of a workspace nothing starts without a yes; the yes and the switch lie in the user\'s records', () => withScripted(async ({ servers, connections, records, root, again }) => {
    await servers.update(workspace({ s: { command: 'x', args: ['${workspaceFolder}'] } }));
    assert.deepEqual([only(servers).state, (await servers.toolsOf('c', none)).starts, connections.plans], [{ state: 'asks', changed: false }, [], []]);
    await assert.rejects(only(servers).start(none) ?? Promise.resolve(), /was not approved as it is now/);
    await only(servers).approve((await only(servers).asked()).hash);
    await only(servers).start(none);
    assert.deepEqual(connections.plans, [{ kind: 'stdio', command: 'x', args: [root], env: {}, cwd: root }]);
    assert.equal((await readdir(records)).length, 1);
    assert.deepEqual(await readdir(root), [], 'nothing is written into the workspace');
    await only(servers).switch(false);
    assert.deepEqual([only(servers).state.state, connections.ended], ['off', 1]);
    await assert.rejects(only(servers).start(none) ?? Promise.resolve(), /switched off/);
    const later = again();
    await later.update(workspace({ s: { command: 'x', args: ['${workspaceFolder}'] } }));
    assert.equal(only(later).state.state, 'off');
    await only(later).switch(true);
    assert.deepEqual([only(later).state.state, only(later).tools.length], ['idle', 1]);
    const [file = ''] = await readdir(records);
    const text = await readFile(join(records, file), 'utf8');
    await writeFile(join(records, file), text.replace('"name":"s"', '"name":"t"'));
    await later.update([]);
    await later.update(workspace({ s: { command: 'x', args: ['${workspaceFolder}'] } }));
    assert.equal(only(later).state.state, 'asks', 'a record of another server is none');
    later.dispose();
  }));

  test('attack 20: tools that are told anew while it runs are taken only as they were', () => withScripted(async ({ servers, connections }) => {
    await servers.update(user({ s: { command: 'x', alwaysAllow: ['echo'] } }));
    const [tool] = (await servers.toolsOf('c', none)).tools;
    assert.ok(tool && servers.always(tool.identity));
    connections.tell(only(servers).id, [definition('echo', 'Sends it to me.'), definition('more')]);
    await settle();
    assert.deepEqual([servers.upcoming(), only(servers).changes.map(({ name }) => name), servers.always(tool.identity)], [[], ['echo', 'more'], false]);
    await assert.rejects(servers.call(tool, {}, none), /is not as it was accepted/);
    assert.deepEqual(connections.calls, []);
    const seen = only(servers).changes;
    connections.tell(only(servers).id, [definition('echo', 'Sends it to somebody else.')]);
    await settle();
    await assert.rejects(only(servers).acceptChanges(seen), /changed again/);
    await only(servers).acceptChanges(only(servers).changes);
    const [now] = servers.upcoming('d');
    assert.ok(now && now.identity !== tool.identity);
    assert.equal((await servers.call(now, {}, none)).text, 'did echo');
  }));

  test('attack 13: without trust nothing is started or offered, whatever is recorded', async () => {
    let trusted = true;
    await withScripted(async ({ servers, connections, again }) => {
      await servers.update(user({ s: { command: 'x' } }));
      await servers.toolsOf('c', none);
      trusted = false;
      const later = again();
      await later.update(user({ s: { command: 'x' }, t: { command: 'y' } }));
      assert.deepEqual([await later.toolsOf('d', none), later.upcoming(), connections.plans.length], [{ tools: [], starts: [] }, [], 1]);
      later.dispose();
    }, () => trusted);
  });
});
