import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { changeCounts } from '../../../src/context/index/changeCounts.js';

const never = new AbortController().signal;

/** The real git. */
suite('context: history', () => {
  let folder: string;
  const git = (...args: string[]): void => void execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', ...args], { stdio: 'ignore' });
  const commit = (name: string, text: string): void => {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
    git('add', '.');
    git('commit', '-m', 'x');
  };
  setup(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'loupe-history-'));
    git('init', '--quiet');
  });
  teardown(() => fs.rmSync(folder, { recursive: true, force: true }));

  test('counts the commits that changed each file, by paths below the folder', async () => {
    commit('sub/a b.ts', '1');
    commit('sub/a b.ts', '2');
    commit('sub/ü.ts', '1');
    commit('top.ts', '1');
    assert.deepEqual([...await changeCounts(folder, never)].sort(), [['sub/a b.ts', 2], ['sub/ü.ts', 1], ['top.ts', 1]]);
    assert.deepEqual([...await changeCounts(path.join(folder, 'sub'), never)].sort(), [['a b.ts', 2], ['ü.ts', 1]]);
  });

  test('no commit and no repository are no history', async () => {
    assert.equal((await changeCounts(folder, never)).size, 0);
    fs.rmSync(path.join(folder, '.git'), { recursive: true });
    assert.equal((await changeCounts(folder, never)).size, 0);
    await assert.rejects(changeCounts(folder, AbortSignal.abort()), { name: 'AbortError' });
  });

  test('programs that the configuration of the repository names are not started', async function () {
    if (process.platform === 'win32') this.skip();
    commit('a.ts', '1');
    const [canary, script] = [path.join(folder, 'started'), path.join(folder, 'canary.sh')];
    fs.writeFileSync(script, `#!/bin/sh\ntouch '${canary}'\ncat\n`, { mode: 0o755 });
    for (const key of ['core.fsmonitor', 'core.pager', 'pager.log', 'gpg.program', 'diff.external', 'core.sshCommand', 'interactive.diffFilter']) git('config', key, script);
    git('config', 'log.showSignature', 'true');
    git('config', 'diff.canary.textconv', script);
    git('config', 'diff.canary.command', script);
    fs.writeFileSync(path.join(folder, '.gitattributes'), '* diff=canary filter=canary\n');
    fs.writeFileSync(path.join(folder, 'git'), `#!/bin/sh\ntouch '${canary}'\n`, { mode: 0o755 });
    assert.deepEqual([...await changeCounts(folder, never)], [['a.ts', 1]]);
    assert.ok(!fs.existsSync(canary));
  });
});
