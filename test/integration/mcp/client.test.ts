import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { everythingServer, filesystemServer, withServers } from '../../support/mcp/folderServers.js';
import { only } from '../../unit/agent/support/turns.js';

suite('MCP client: published servers, used by the agent', function () {
  this.timeout(60_000);

  test('server-filesystem: its tools are in the prompt, are asked for, and work; the start is measured apart', () => withServers(async (client) => {
    await writeFile(join(client.folder, 'a.txt'), 'the words of a file\n');
    await client.user({ files: { command: process.execPath, args: [filesystemServer, '${workspaceFolder}'] } });
    const first = await client.turn([
      ['mcp_files_read_text_file', { path: join(client.folder, 'a.txt'), head: null }],
      ['mcp_files_write_file', { path: join(client.folder, 'b.txt'), content: 'written' }],
      ['mcp_files_read_text_file', { path: '/etc/hostname' }],
    ]);
    assert.match(first.results[0] ?? '', /the words of a file/);
    assert.equal(await readFile(join(client.folder, 'b.txt'), 'utf8'), 'written');
    assert.match(first.results[2] ?? '', /Access denied/);
    assert.deepEqual(first.approvals.map((approval) => approval.kind === 'tool' && approval.tool), ['read_text_file', 'write_file', 'read_text_file']);
    assert.ok(only(first.events, 'policyDecided').every(({ verdict }) => verdict === 'ask'));
    const [start] = only(first.events, 'serverStarted');
    assert.ok(start && start.hop === 0 && start.coldMs > 20 && start.problem === undefined);
    assert.ok(client.logs.some(({ id, text }) => id === client.named('files').id && /Filesystem Server running/.test(text)), 'what it writes for people has its place');
    assert.ok(first.model.requests[0]?.tools.some(({ name }) => name === 'mcp_files_list_directory'));
  }));

  test('server-filesystem, in a later window: tools are known without a start, and the first call starts it, apart from the tool\'s time', () => withServers(async (client) => {
    await client.user({ files: { command: process.execPath, args: [filesystemServer, '${workspaceFolder}'] } });
    await client.turn([]);
    await client.named('files').stop();
    await client.servers.update([]);
    await client.read(); // what is kept is all that this window knows
    assert.equal(client.named('files').state.state, 'idle');
    const later = await client.turn([['mcp_files_list_allowed_directories'], ['mcp_files_list_allowed_directories', { again: 1 }]], { conversation: 'later' });
    assert.match(later.results[0] ?? '', new RegExp(client.folder));
    const starts = only(later.events, 'serverStarted');
    const [tool] = only(later.events, 'toolFinished');
    assert.deepEqual(starts.map(({ hop, callId }) => [hop, callId]), [[1, tool?.callId]]);
  }));

  test('server-everything: text, errors, images and progress; more than 25 tools would be found instead', () => withServers(async (client) => {
    await client.user({ all: { command: process.execPath, args: [everythingServer] } });
    const { results, events } = await client.turn([
      ['mcp_all_echo', { message: 'hello' }], ['mcp_all_get-sum', { a: 2, b: 3 }], ['mcp_all_get-tiny-image'], ['mcp_all_get-sum', { a: 'no number' }],
      ['mcp_all_trigger-long-running-operation', { duration: 1, steps: 4 }], ['mcp_all_get-structured-content', { location: 'Chicago' }],
    ]);
    assert.match(results[0] ?? '', /hello/);
    assert.match(results[1] ?? '', /5/);
    assert.match(results[2] ?? '', /\[image, image\/png, \d+ KB: left out\]/);
    assert.match(results[4] ?? '', /completed/i);
    assert.match(results[5] ?? '', /temperature/);
    assert.deepEqual(only(events, 'toolFinished').map(({ outcome }) => outcome), ['ok', 'ok', 'ok', 'error', 'ok', 'ok']);
  }));
});
