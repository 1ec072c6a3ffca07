import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configurationFor, serverName } from '../../../src/extension/mcp/configuration.js';
import { writeLauncher } from '../../../src/extension/mcp/launcher.js';
import { withFolder } from '../agent/support/folder.js';

const stdio = { kind: 'stdio', command: '/usr/bin/node', args: ['/x/loupe-mcp.mjs', '--window', '/w/app'], env: { ELECTRON_RUN_AS_NODE: '1' } } as const;
const http = { kind: 'http', url: 'http://127.0.0.1:7000/mcp', token: 'abc' } as const;

suite('MCP: configuration for other programs', () => {
  test('is what each of them reads', () => {
    const { kind: _, ...entry } = stdio;
    assert.deepEqual(JSON.parse(configurationFor('claude', 'loupe-app', stdio)), { mcpServers: { 'loupe-app': { type: 'stdio', ...entry } } });
    assert.deepEqual(JSON.parse(configurationFor('vscode', 'loupe-app', stdio)), { servers: { 'loupe-app': { type: 'stdio', ...entry } } });
    assert.deepEqual(JSON.parse(configurationFor('generic', 'loupe-app', stdio)), { mcpServers: { 'loupe-app': entry } });
    assert.deepEqual(JSON.parse(configurationFor('vscode', 'loupe-app', http)), { servers: { 'loupe-app': { type: 'http', url: http.url, headers: { Authorization: 'Bearer abc' } } } });
  });

  test('names are plain', () => {
    assert.deepEqual(['My App', 'app', '..', 'Ünï "code"', '-x-'].map(serverName), ['loupe-my-app', 'loupe-app', 'loupe', 'loupe-n-code', 'loupe-x']);
  });

  test('the file that they start keeps its path and starts the version that is installed, with its arguments', () => withFolder({}, async (root, base) => {
    const versions = ['1 "a"', '2'].map((name) => join(base, name));
    for (const [index, folder] of versions.entries()) {
      await mkdir(folder);
      await writeFile(join(folder, 'main.mjs'), `process.stdout.write('${index}:' + process.argv.slice(2).join());`);
    }
    const started = (file: string): string => execFileSync(process.execPath, [file, '--window', root], { encoding: 'utf8' });
    const first = await writeLauncher(join(base, 'cache'), join(versions[0]!, 'main.mjs'));
    assert.equal(started(first), `0:--window,${root}`);
    const { mtimeMs } = await stat(first);
    assert.equal(await writeLauncher(join(base, 'cache'), join(versions[0]!, 'main.mjs')), first);
    assert.equal((await stat(first)).mtimeMs, mtimeMs, 'nothing is written where nothing changed');
    assert.equal(await writeLauncher(join(base, 'cache'), join(versions[1]!, 'main.mjs')), first);
    assert.equal(started(first), `1:--window,${root}`);
    assert.match(await readFile(first, 'utf8'), /^\/\/ Written by Loupe/);
  }));
});
