import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { ResourceListChangedNotificationSchema, ResourceUpdatedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { ChangeLog } from '../../../src/agent/window/changeLog.js';
import { WindowClient } from '../../../src/mcp/workspace/windowClient.js';
import { WindowWorkspace } from '../../../src/mcp/workspace/windowWorkspace.js';
import { fakeWindow, openWindow } from '../../support/mcp/fakeWindow.js';
import { ripgrep, withFolder } from '../agent/support/folder.js';
import { connected, folderWorkspace } from './support.js';

const none = new AbortController().signal;

/** What a client has been told, in order. */
function told(client: Client): string[] {
  const heard: string[] = [];
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void heard.push(params.uri));
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void heard.push('list'));
  return heard;
}

/** Within five seconds, and nothing else soon after; one write may be told in two parts. */
async function heardSoon(heard: string[], ...wanted: readonly string[]): Promise<void> {
  for (let i = 0; i < 250 && !wanted.every((one) => heard.includes(one)); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual([...new Set(heard)].sort(), [...wanted].sort());
  heard.length = 0;
}

/** Longer than any change takes to be told. */
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 600));

suite('MCP: what changes', function () {
  this.timeout(30_000);
  const open: (() => unknown)[] = [];
  const closing = <T>(thing: T, close: (thing: T) => unknown): T => {
    open.push(() => close(thing));
    return thing;
  };
  teardown(async () => {
    for (const close of open.splice(0).reverse()) await close();
  });

  test('a log tells each reader what came since it last asked, and everything to who comes from elsewhere', async () => {
    const log = new ChangeLog();
    const { at } = await log.since(undefined, none);
    const waiting = log.since(at, none);
    log.file('a.ts');
    log.file('b.ts');
    log.file('.env');
    log.diagnostics('a.ts');
    const first = await waiting;
    assert.deepEqual({ ...first, at: '' }, { at: '', files: ['a.ts', 'b.ts'], diagnostics: ['a.ts'], list: false, everything: false });
    log.file('a.ts');
    log.list();
    assert.deepEqual({ ...await log.since(first.at, none), at: '' }, { at: '', files: ['a.ts'], diagnostics: [], list: true, everything: false });
    for (const unknown of ['elsewhere:0', 'nonsense', '']) assert.equal((await log.since(unknown, none)).everything, true, unknown);
    for (let i = 0; i < 10_001; i++) log.file(`f${i}`);
    assert.equal((await log.since(first.at, none)).everything, true, 'more than is kept');
    const controller = new AbortController();
    const withdrawn = log.since((await log.since(undefined, none)).at, controller.signal);
    controller.abort();
    await assert.rejects(withdrawn, { name: 'AbortError' });
  });

  test('files on disk: those that are subscribed to, and the list once it was seen', () => withFolder({ 'a.ts': 'x', 'src/b.ts': 'x', '.gitignore': 'out\n', 'out/c.ts': 'x', '.env': 'SECRET=1' }, async (root) => {
    const client = closing(await connected(folderWorkspace(root)), (one) => one.close());
    const heard = told(client);
    const uri = (path: string): string => pathToFileURL(join(root, path)).href;
    assert.deepEqual(client.getServerCapabilities()?.resources, { subscribe: true, listChanged: true });
    await client.subscribeResource({ uri: uri('src/b.ts') });
    await client.subscribeResource({ uri: uri('new/deep/d.ts') });
    await writeFile(join(root, 'src', 'b.ts'), 'y');
    await heardSoon(heard, uri('src/b.ts'));
    await writeFile(join(root, 'src', 'b.tmp'), 'z');
    await rename(join(root, 'src', 'b.tmp'), join(root, 'src', 'b.ts')); // as editors save
    await heardSoon(heard, uri('src/b.ts'));
    await mkdir(join(root, 'new', 'deep'), { recursive: true });
    await quiet();
    await writeFile(join(root, 'new', 'deep', 'd.ts'), 'x');
    await heardSoon(heard, uri('new/deep/d.ts'));
    await writeFile(join(root, 'a.ts'), 'not subscribed to');
    await quiet();
    assert.deepEqual(heard, []);
    await client.listResources();
    await writeFile(join(root, 'a.ts'), 'still no other list');
    await writeFile(join(root, 'out', 'new.ts'), 'ignored');
    await quiet();
    assert.deepEqual(heard, []);
    await writeFile(join(root, 'new', 'e.ts'), 'x');
    await heardSoon(heard, 'list');
    await rm(join(root, 'src'), { recursive: true });
    await heardSoon(heard, 'list', uri('src/b.ts'));
    await client.unsubscribeResource({ uri: uri('src/b.ts') });
    await mkdir(join(root, 'src'));
    await writeFile(join(root, 'src', 'b.ts'), 'again');
    await heardSoon(heard, 'list');
    for (const refused of ['test://x', pathToFileURL(join(root, '..', 'x')).href, uri('.env'), 'loupe://diagnostics']) {
      await assert.rejects(client.subscribeResource({ uri: refused }), { code: -32_002 }, refused);
    }
  }));

  test('a window: typed text and diagnostics, over a reload of the window too', () => withFolder({ 'a.ts': 'x' }, async (root, base) => {
    const run = join(base, 'run');
    const window = fakeWindow(root, ripgrep);
    const server = closing(await openWindow(run, root, window), (one) => one.dispose());
    const own = closing(new WindowClient(run, root), (one) => one.dispose());
    const client = closing(await connected(new WindowWorkspace(own)), (one) => one.close());
    const heard = told(client);
    const file = pathToFileURL(join(root, 'a.ts')).href;
    for (const uri of [file, 'loupe://diagnostics', 'loupe://diagnostics/b.ts']) await client.subscribeResource({ uri });
    window.changes.file('a.ts');
    await heardSoon(heard, file);
    window.changes.diagnostics('a.ts');
    await heardSoon(heard, 'loupe://diagnostics');
    window.changes.diagnostics('b.ts');
    await heardSoon(heard, 'loupe://diagnostics', 'loupe://diagnostics/b.ts');
    window.changes.list();
    await quiet();
    assert.deepEqual(heard, [], 'no list was seen');
    await client.listResources();
    window.changes.list();
    await heardSoon(heard, 'list');
    server.dispose();
    const reloaded = fakeWindow(root, ripgrep);
    closing(await openWindow(run, root, reloaded), (one) => one.dispose());
    await heardSoon(heard, 'list', file, 'loupe://diagnostics', 'loupe://diagnostics/b.ts'); // whatever may have happened meanwhile
    reloaded.allowed = false;
    reloaded.changes.file('a.ts');
    await quiet();
    assert.deepEqual(heard, [], 'nothing is told of a window that is not offered any more');
  }));
});
