import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { WindowServer } from '../../../src/extension/window/windowServer.js';
import { windowCalls } from '../../support/mcp/calls.js';
import { fakeWindow, openWindow } from '../../support/mcp/fakeWindow.js';
import { bundle, type HttpProcess, startHttp } from '../../support/mcp/served.js';
import { root } from '../../support/workbench/paths.js';
import { ripgrep } from '../../unit/agent/support/folder.js';
import { commitAll } from '../../unit/mcp/support.js';

const load = async <T>(name: string): Promise<T> => await import(pathToFileURL(join(root, 'scripts', 'lib', name)).href) as T;
const { ensureNode24 } = await load<{ ensureNode24(): Promise<string> }>('newerNode.mjs');
const { ensureInspector } = await load<{ ensureInspector(): Promise<string> }>('inspector.mjs');

interface Listed { readonly tools: readonly { readonly name: string }[] }
interface Called { readonly content: readonly { readonly text: string }[]; readonly structuredContent?: Record<string, unknown>; readonly isError?: boolean }

suite('MCP: the inspector\'s command line on the shipped server', function () {
  this.timeout(180_000);
  let base: string;
  let folder: string;
  let cache: string;
  let server: WindowServer;
  let attached: HttpProcess;
  let node: string;
  let inspector: string;

  suiteSetup(async () => {
    [node, inspector] = await Promise.all([ensureNode24(), ensureInspector()]);
    base = await realpath(await mkdtemp(join(tmpdir(), 'loupe-inspector-')));
    folder = join(base, 'app');
    cache = join(base, 'cache');
    await mkdir(folder);
    await mkdir(join(base, 'home'));
    await writeFile(join(folder, 'a.ts'), 'export function load() {}\n');
    commitAll(folder);
    await writeFile(join(folder, 'a.ts'), 'export function load() { return 1; }\n');
    server = await openWindow(join(cache, 'run'), folder, fakeWindow(folder, ripgrep));
    attached = await startHttp({ args: ['--window', folder], folder, cache });
  });
  suiteTeardown(async () => {
    await attached.stop();
    server.dispose();
    await rm(base, { recursive: true, force: true });
  });

  /** One run of it. Rejects where it ends with an error: `--strict` makes one of a schema that some clients cannot read. */
  const inspect = (target: readonly string[], options: readonly string[]): Promise<unknown> => new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'] ?? '', HOME: join(base, 'home'), USERPROFILE: join(base, 'home') };
    execFile(node, [inspector, '--cli', ...options, ...target], { cwd: base, env, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${error.message}\n${stdout}${stderr}`));
      else resolve(JSON.parse(stdout));
    });
  });

  const ways: readonly (readonly [string, () => readonly string[]])[] = [
    ['stdio', () => ['-e', `LOUPE_CACHE=${cache}`, '--', process.execPath, bundle, '--window', folder]],
    ['Streamable HTTP', () => ['--transport', 'http', '--server-url', attached.url, '--header', `Authorization: Bearer ${attached.token}`]],
  ];
  for (const [name, target] of ways) {
    test(`lists and calls every tool over ${name}`, async () => {
      const { tools } = await inspect(target(), ['--method', 'tools/list', '--strict']) as Listed;
      assert.deepEqual(tools.map((tool) => tool.name).sort(), Object.keys(windowCalls).sort());
      for (const tool of tools) {
        const args = Object.entries(windowCalls[tool.name] ?? {}).flatMap(([key, value]) => ['--tool-arg', `${key}=${String(value)}`]);
        const { content, structuredContent, isError } = await inspect(target(), ['--method', 'tools/call', '--tool-name', tool.name, ...args]) as Called;
        assert.deepEqual([isError ?? false, (content[0]?.text ?? '') !== '', Object.keys(structuredContent ?? {}).length > 0], [false, true, true], `${tool.name}: ${content[0]?.text}`);
      }
    });
  }

  test('without the token it gets nothing', async () => {
    await assert.rejects(inspect(['--transport', 'http', '--server-url', attached.url], ['--method', 'tools/list']), /"code":"auth_required"/);
  });
});
