import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { root } from '../../support/workbench/paths.js';

const { ensureNode24 } = await import(pathToFileURL(path.join(root, 'scripts', 'lib', 'newerNode.mjs')).href) as { ensureNode24(): Promise<string> };

/** The Node of VS Code has SQLite, the Node that runs these tests may not. */
suite('context: store with SQLite', () => {
  test('the tests of the store pass under a Node that has it, and none is skipped', async () => {
    const tests = path.join(root, 'out', 'test', 'unit', 'context', 'store.test.js');
    const mocha = path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
    const { stdout } = await promisify(execFile)(await ensureNode24(), [mocha, '--ui', 'tdd', '--timeout', '60000', '--reporter', 'json', tests], { cwd: root });
    const { stats, failures } = JSON.parse(stdout.slice(stdout.indexOf('{\n'))) as { stats: { passes: number; pending: number }; failures: unknown[] };
    assert.deepEqual(failures, []);
    assert.ok(stats.passes >= 9, `${stats.passes} passed`);
    assert.equal(stats.pending, 1, 'all but the test of a Node without SQLite');
  });
});
