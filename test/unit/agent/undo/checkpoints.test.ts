import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Checkpoints } from '../../../../src/agent/workspace/checkpoints.js';
import { FileBatches } from '../../../../src/agent/workspace/fileBatch.js';
import { FolderRecord, recordLimits } from '../../../../src/agent/workspace/folderRecord.js';
import { ShadowGit } from '../../../../src/agent/workspace/shadowGit.js';
import { snapshot } from '../../security/support.js';
import { codeOf, withFolder } from '../support/folder.js';

/** Git as the tests use it to prepare the user's own repository. */
const git = (cwd: string, ...args: string[]): void => {
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t', ...args], { cwd, stdio: 'ignore', env: { PATH: process.env['PATH'], HOME: cwd } });
};

suite('checkpoints', function () {
  this.timeout(30_000);
  suiteSetup(function () {
    try {
      execFileSync('git', ['--version'], { stdio: 'ignore' });
    } catch {
      this.skip(); // there is nothing to record with: the product says so
    }
  });

  interface Bench { readonly checkpoints: Checkpoints; turn(id: string, act: () => Promise<void>): Promise<void> }

  function bench(root: string, outside: string, limits = recordLimits, keep = 50): Bench {
    let now = 0;
    const shadow = new ShadowGit({ program: 'git', gitDir: join(outside, 'shadow.git'), root, path: process.env['PATH'] });
    const checkpoints = new Checkpoints({
      git: shadow, record: new FolderRecord(shadow, limits), batches: new FileBatches(root, join(outside, 'journal')), clock: { now: () => ++now, monotonic: () => now }, keep,
    });
    const turn = async (id: string, act: () => Promise<void>): Promise<void> => {
      assert.deepEqual(await checkpoints.takeOnce({ turnId: id, goal: `goal of ${id}` }), { first: true });
      assert.deepEqual(await checkpoints.takeOnce({ turnId: id, goal: '' }), { first: false });
      await act();
      await checkpoints.end(id);
    };
    return { checkpoints, turn };
  }

  const put = (root: string, path: string, text: string | Buffer): Promise<void> => writeFile(join(root, path), text);

  test('undoes a turn: changed, created and removed files; what is like it was needs nothing', () => withFolder({ a: '1\r\n2\n', 'd/b': Buffer.from([0, 1, 255]), c: 'c' }, async (root, outside) => {
    const before = await snapshot(root);
    const { checkpoints, turn } = bench(root, outside);
    await turn('t1', async () => {
      await put(root, 'a', 'changed');
      await put(root, 'd/b', 'text');
      await rm(join(root, 'c'));
      await mkdir(join(root, 'new/deep'), { recursive: true });
      await put(root, 'new/deep/file', 'x');
    });
    const plan = await checkpoints.planUndo('t1');
    assert.deepEqual(plan.changes.map(({ path, effect, changedSince }) => [path, effect, changedSince]), [['a', 'restored', false], ['c', 'restored', false], ['d/b', 'restored', false], ['new/deep/file', 'removed', false]]);
    assert.equal(await checkpoints.apply(plan, false, 'undo-1'), 4);
    assert.deepEqual(await snapshot(root), before);
    assert.deepEqual((await checkpoints.planUndo('t1')).changes, []);
  }));

  test('fault 20: what the user changed since is kept, unless they say otherwise', () => withFolder({ a: '1', b: '1', c: '1' }, async (root, outside) => {
    const { checkpoints, turn } = bench(root, outside);
    await turn('t1', async () => { for (const path of ['a', 'b', 'c']) await put(root, path, '2'); });
    await put(root, 'b', 'mine');
    await rm(join(root, 'c'));
    await put(root, 'unrelated', 'mine too');
    const plan = await checkpoints.planUndo('t1');
    assert.deepEqual(plan.changes.map(({ path, changedSince }) => [path, changedSince]), [['a', false], ['b', true], ['c', true]]);
    await checkpoints.apply(plan, false, 'undo-1');
    assert.deepEqual(await snapshot(root), { a: '1', b: 'mine', unrelated: 'mine too' });
    await checkpoints.apply(await checkpoints.planUndo('t1'), true, 'undo-2');
    assert.deepEqual(await snapshot(root), { a: '1', b: '1', c: '1', unrelated: 'mine too' });
  }));

  test('fault 20: a file that changes between the plan and its end stops all of it', () => withFolder({ a: '1', b: '1' }, async (root, outside) => {
    const { checkpoints, turn } = bench(root, outside);
    await turn('t1', async () => { for (const path of ['a', 'b']) await put(root, path, '2'); });
    const plan = await checkpoints.planUndo('t1');
    await put(root, 'b', 'mine');
    assert.equal(await codeOf(checkpoints.apply(plan, true, 'undo-1')), 'edit.changedOnDisk');
    assert.deepEqual(await snapshot(root), { a: '2', b: 'mine' });
  }));

  test('goes back to the beginning of an earlier turn; the work of the user in between is told apart, and going back can be undone', () => withFolder({ a: '0', u: '0' }, async (root, outside) => {
    const { checkpoints, turn } = bench(root, outside);
    await turn('t1', () => put(root, 'a', '1'));
    await put(root, 'u', 'mine');
    await turn('t2', () => put(root, 'a', '2'));
    await put(root, 'late', 'mine');
    const plan = await checkpoints.planRestore('t1');
    assert.deepEqual(plan.changes.map(({ path, effect, changedSince }) => [path, effect, changedSince]), [['a', 'restored', false], ['late', 'removed', true], ['u', 'restored', true]]);
    await checkpoints.apply(plan, false, 'back');
    assert.deepEqual(await snapshot(root), { a: '0', u: 'mine', late: 'mine' });
    assert.deepEqual((await checkpoints.list()).map(({ turnId, goal }) => [turnId, goal]), [['back', 'Before going back: goal of t1'], ['t2', 'goal of t2'], ['t1', 'goal of t1']]);
    await checkpoints.apply(await checkpoints.planUndo('back'), false, 'forth');
    assert.deepEqual(await snapshot(root), { a: '2', u: 'mine', late: 'mine' });
  }));

  test('a turn whose window died: nothing says who changed what, so all of it is the user\'s until they say otherwise', () => withFolder({ a: '0' }, async (root, outside) => {
    await bench(root, outside).checkpoints.takeOnce({ turnId: 't1', goal: 'g' });
    await put(root, 'a', '1');
    const { checkpoints } = bench(root, outside);
    assert.deepEqual((await checkpoints.planUndo('t1')).changes.map(({ changedSince }) => changedSince), [true]);
    assert.deepEqual((await checkpoints.planRestore('t1')).changes.map(({ changedSince }) => changedSince), [true]);
  }));

  test('fault 21: nested repositories, links, line ends, modes and ignored files come back byte for byte, and no repository of the user is touched', () => withFolder({
    'crlf.txt': 'a\r\nb\r\n', 'lf.txt': 'a\nb\n', '.gitattributes': '* text=auto eol=crlf ident\n*.bin filter=evil\n*.u16 working-tree-encoding=UTF-16\n', 'x.bin': Buffer.from([1, 0, 13, 10, 2]), 'x.u16': '$Id$ a',
    '.gitignore': 'ignored/\n*.log\n', 'ignored/keep': 'before', 'x.log': 'before', 'nested/n.txt': 'n\r\n', 'run.sh': '#!/bin/sh\n',
  }, async (root, outside) => {
    for (const repository of [root, join(root, 'nested')]) {
      git(repository, 'init', '-q');
      git(repository, 'commit', '--allow-empty', '-qm', 'x');
    }
    await writeFile(join(root, '.git/info/exclude'), 'mine.tmp\n');
    await put(root, 'mine.tmp', 'before');
    await chmod(join(root, 'run.sh'), 0o755);
    if (process.platform !== 'win32') await symlink('lf.txt', join(root, 'link'));
    const before = await snapshot(root);
    const { checkpoints, turn } = bench(root, outside);
    await turn('t1', async () => {
      for (const path of ['crlf.txt', 'lf.txt', 'x.bin', 'x.u16', 'nested/n.txt', 'run.sh']) await put(root, path, 'changed');
      await chmod(join(root, 'run.sh'), 0o644);
      await put(root, 'nested/new', 'x');
      await rm(join(root, '.gitattributes'));
      await rm(join(root, 'link'), { force: true });
    });
    const plan = await checkpoints.planUndo('t1');
    assert.ok(plan.changes.every(({ path }) => !/\.git\/|ignored|\.log|mine\.tmp/.test(path)), plan.changes.map(({ path }) => path).join());
    await checkpoints.apply(plan, false, 'undo');
    assert.deepEqual(await snapshot(root), before);
    if (process.platform !== 'win32') assert.equal((await stat(join(root, 'run.sh'))).mode & 0o777, 0o755);
  }));

  test('attack 13: nothing in the folder or the home makes git run a program', () => withFolder({ '.gitattributes': '* filter=evil diff=evil merge=evil\n', a: '1', '.gitignore': '!evil\n' }, async (root, outside) => {
    const evil = `touch ${join(outside, 'pwned')}`;
    git(root, 'init', '-q');
    for (const [key, value] of [['core.fsmonitor', evil], ['filter.evil.clean', evil], ['filter.evil.smudge', evil], ['filter.evil.process', evil], ['diff.evil.textconv', evil], ['core.pager', evil], ['core.sshCommand', evil], ['core.hooksPath', join(root, 'hooks')], ['core.worktree', outside], ['alias.write-tree', `!${evil}`]] as const) git(root, 'config', key, value);
    await mkdir(join(root, 'hooks'));
    for (const hook of ['post-index-change', 'reference-transaction', 'pre-commit', 'post-commit', 'fsmonitor-watchman']) {
      await writeFile(join(root, 'hooks', hook), `#!/bin/sh\n${evil}\n`, { mode: 0o755 });
      await mkdir(join(root, '.git/hooks'), { recursive: true });
      await writeFile(join(root, '.git/hooks', hook), `#!/bin/sh\n${evil}\n`, { mode: 0o755 });
    }
    await writeFile(join(root, 'git'), `#!/bin/sh\n${evil}\n`, { mode: 0o755 });
    const before = await snapshot(join(root, '.git'));
    const { checkpoints, turn } = bench(root, outside);
    await turn('t1', () => put(root, 'a', '2'));
    await checkpoints.apply(await checkpoints.planUndo('t1'), false, 'undo');
    assert.equal(await readFile(join(root, 'a'), 'utf8'), '1');
    assert.deepEqual(await snapshot(join(root, '.git')), before);
    await assert.rejects(stat(join(outside, 'pwned')), { code: 'ENOENT' });
  }));

  test('no credentials and nothing large is copied; a folder beyond the limits is refused with the reason', () => withFolder({ '.env': 'KEY=canary', 'key.pem': 'canary', 'big.txt': 'x'.repeat(2_000), a: '1', b: '1' }, async (root, outside) => {
    const { checkpoints, turn } = bench(root, outside, { fileBytes: 1_000, newBytes: 10_000, files: 100 });
    await turn('t1', async () => { for (const path of ['.env', 'key.pem', 'big.txt', 'a']) await put(root, path, '2'); });
    const plan = await checkpoints.planRestore('t1');
    assert.deepEqual(plan.changes.map(({ path }) => path), ['a', 'big.txt'], 'a file that was too large is new to the record once it is small');
    const small = bench(root, outside, { fileBytes: 1_000, newBytes: 10_000, files: 1 });
    await mkdir(join(root, 'more'));
    for (let i = 0; i < 3; i++) await put(root, `more/${i}`, 'x');
    assert.match((await small.checkpoints.takeOnce({ turnId: 't2', goal: '' })).problem ?? '', /more than 1 files/);
    assert.equal(await codeOf(small.checkpoints.planUndo('t2')), 'edit.notApplied');
  }));

  test('fault 15: a record that cannot be written is said once, what was recorded stays, and the turn goes on', () => withFolder({ a: '1' }, async (root, outside) => {
    if (process.platform === 'win32') return; // the program is a shell's
    const { checkpoints, turn } = bench(root, outside);
    await turn('t1', () => put(root, 'a', '2'));
    // As git ends on a full disk.
    const failing = join(outside, 'git-full');
    await writeFile(failing, '#!/bin/sh\ncase "$*" in *write-tree*) echo "fatal: No space left on device" >&2; exit 128;; esac\nexec git "$@"\n', { mode: 0o755 });
    const shadow = new ShadowGit({ program: failing, gitDir: join(outside, 'shadow.git'), root, path: process.env['PATH'] });
    const full = new Checkpoints({ git: shadow, record: new FolderRecord(shadow), batches: new FileBatches(root, join(outside, 'journal')), clock: { now: () => 9, monotonic: () => 9 }, keep: 50 });
    assert.deepEqual(await full.takeOnce({ turnId: 't2', goal: '' }), { first: true, problem: 'Git failed (write-tree).' });
    assert.deepEqual(await full.takeOnce({ turnId: 't2', goal: '' }), { first: false });
    await full.end('t2');
    assert.deepEqual((await checkpoints.list()).map(({ turnId }) => turnId), ['t1']);
    await checkpoints.apply(await checkpoints.planUndo('t1'), false, 'undo');
    assert.equal(await readFile(join(root, 'a'), 'utf8'), '1');
  }));

  test('without git it says so', () => withFolder({ a: '1' }, async (root, outside) => {
    const shadow = new ShadowGit({ program: join(outside, 'no-git'), gitDir: join(outside, 'shadow.git'), root, path: '' });
    const checkpoints = new Checkpoints({ git: shadow, record: new FolderRecord(shadow), batches: new FileBatches(root, join(outside, 'journal')), clock: { now: () => 0, monotonic: () => 0 }, keep: 50 });
    assert.deepEqual(await checkpoints.takeOnce({ turnId: 't', goal: '' }), { first: true, problem: 'Git could not be started.' });
  }));

  test('only the newest turns are kept', () => withFolder({ a: '0' }, async (root, outside) => {
    const { checkpoints, turn } = bench(root, outside, recordLimits, 2);
    for (let i = 1; i <= 4; i++) await turn(`t${i}`, () => put(root, 'a', String(i)));
    const kept = await checkpoints.list();
    assert.deepEqual([kept.length, kept.at(-1)?.turnId], [2, 't3']);
    assert.equal((await checkpoints.planUndo('t3')).changes.length, 1);
  }));
});
