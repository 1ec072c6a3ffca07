import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { clientBundle } from '../../support/mcp/folderServers.js';
import { root } from '../../support/workbench/paths.js';
import { clientCore, expectedClientFailures } from './expectedFailures.js';

const { ensureNode24 } = await import(pathToFileURL(path.join(root, 'scripts', 'lib', 'newerNode.mjs')).href) as { ensureNode24(): Promise<string> };
const suiteFile = path.join(root, 'node_modules', '@modelcontextprotocol', 'conformance', 'dist', 'index.js');
const driver = path.join(root, 'out', 'test', 'support', 'mcp', 'conformanceDriver.js');

suite('MCP: the conformance suite of the protocol on the shipped client', function () {
  this.timeout(180_000);

  test('passes everything but what is listed with a reason, and everything of the core', async () => {
    const base = await realpath(await mkdtemp(path.join(tmpdir(), 'loupe-conformance-')));
    const node = await ensureNode24(); // the suite uses what Node 20 has not
    const command = `${process.execPath} ${driver} ${clientBundle}`;
    const output = await new Promise<string>((resolve) => {
      execFile(node, [suiteFile, 'client', '--suite', 'all', '--command', command], { cwd: base, maxBuffer: 1 << 26 }, (_error, stdout, stderr) => resolve(`${stdout}\n${stderr}`)); // it fails as long as anything is expected to
    });
    await rm(base, { recursive: true, force: true });
    const results = new Map([...output.matchAll(/^([✓✗]) ([\w/-]+): \d+ passed, (\d+) failed/gm)].map(([, , name = '', failed]) => [name, Number(failed) === 0]));
    assert.ok(results.size >= 26, output.slice(-2_000));
    const failed = [...results].filter(([, passed]) => !passed).map(([name]) => name);
    assert.deepEqual(failed.filter((name) => !(name in expectedClientFailures)), [], 'failed and not listed');
    assert.deepEqual(Object.keys(expectedClientFailures).filter((name) => results.get(name) !== false), [], 'listed and does not fail');
    for (const name of clientCore) assert.equal(results.get(name), true, name);
  });
});
