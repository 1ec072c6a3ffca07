import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NodeGit } from '../../../src/mcp/git/nodeGit.js';
import { callTool } from '../../support/mcp/served.js';
import { codeOf, withFolder } from '../agent/support/folder.js';
import { commitAll, connected, folderWorkspace } from './support.js';

const signal = new AbortController().signal;
const git = (root: string, ...args: readonly string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' });

suite('MCP: Git', function () {
  this.timeout(60_000);

  test('status, diff, log and blame say what git says, and nothing of files with credentials', () => withFolder({ 'a.ts': 'one\ntwo\n', 'old name.ts': 'same text that is long enough to be a rename\n', '.env': 'KEY=first', 'sub/b.ts': 'b\n' }, async (root) => {
    commitAll(root, 'Begin');
    await writeFile(join(root, 'a.ts'), 'one\nTWO\n');
    await writeFile(join(root, '.env'), 'KEY=canary');
    await writeFile(join(root, 'new.ts'), 'n');
    git(root, 'mv', 'old name.ts', 'new name.ts');
    const client = await connected(folderWorkspace(root));
    const status = await callTool(client, 'git_status');
    assert.deepEqual(status.data, { branch: 'main', changes: [
      { path: 'a.ts', unstaged: 'modified' }, { path: 'new name.ts', staged: 'renamed', from: 'old name.ts' }, { path: 'new.ts', unstaged: 'untracked' },
    ] });
    const diff = await callTool(client, 'git_diff');
    assert.deepEqual([diff.data['files'], diff.data['truncated']], [['a.ts'], false]);
    assert.match(diff.text, /^diff --git a\/a\.ts b\/a\.ts\n[^]*-two\n\+TWO$/);
    assert.doesNotMatch(diff.text, /canary/);
    assert.deepEqual((await callTool(client, 'git_diff', { staged: true })).data['files'], ['new name.ts']);
    assert.equal((await callTool(client, 'git_diff', { path: '.env' })).failed, true);
    const log = await callTool(client, 'git_log', { path: 'a.ts' });
    assert.match(log.text, /^[0-9a-f]{10} \d{4}-\d\d-\d\d Ann: Begin$/);
    const blame = await callTool(client, 'git_blame', { path: 'a.ts' });
    const lines = blame.data['lines'] as { line: number; author?: string; text: string }[];
    assert.deepEqual(lines.map(({ line, author, text }) => [line, author, text]), [[1, 'Ann', 'one'], [2, undefined, 'TWO']]);
    await client.close();
  }));

  test('of a folder inside a repository only what is in it is told', () => withFolder({ 'sub/b.ts': 'b\n', 'top.ts': 'canary\n' }, async (root) => {
    commitAll(root);
    await writeFile(join(root, 'top.ts'), 'canary 2\n');
    await writeFile(join(root, 'sub/b.ts'), 'b2\n');
    const inside = new NodeGit(join(root, 'sub'));
    assert.deepEqual((await inside.status(signal)).changes, [{ path: 'b.ts', unstaged: 'modified' }]);
    const { diff, files } = await inside.diff({ staged: false }, signal);
    assert.deepEqual(files, ['b.ts']);
    assert.doesNotMatch(diff, /canary/);
    assert.equal(await codeOf(inside.diff({ staged: false, path: '../top.ts' }, signal)), 'path.outsideWorkspace');
  }));

  test('commits come in pages', () => withFolder({ n: '0' }, async (root) => {
    commitAll(root);
    for (let i = 1; i < 35; i++) git(root, '-c', 'user.name=A', '-c', 'user.email=a@b', '-c', 'commit.gpgSign=false', 'commit', '--quiet', '--allow-empty', '--message', `Commit ${i}`);
    const client = await connected(folderWorkspace(root));
    const args = { revision: 'HEAD' };
    const first = await callTool(client, 'git_log', args);
    // Empty commits touch no path, so the whole folder's history leaves them out: they are asked for by nothing but a revision.
    assert.equal((first.data['commits'] as unknown[]).length, 1);
    await appendFile(join(root, 'n'), '1');
    await client.close();
    const many = new NodeGit(root);
    for (let i = 0; i < 40; i++) {
      await appendFile(join(root, 'n'), String(i));
      git(root, '-c', 'user.name=A', '-c', 'user.email=a@b', '-c', 'commit.gpgSign=false', 'commit', '--quiet', '--all', '--message', `Change ${i}`);
    }
    const again = await connected(folderWorkspace(root));
    const page = await callTool(again, 'git_log');
    assert.equal((page.data['commits'] as unknown[]).length, 30);
    const rest = await callTool(again, 'git_log', { cursor: page.data['nextCursor'] });
    assert.deepEqual((rest.data['commits'] as { subject: string }[]).map(({ subject }) => subject)[0], 'Change 9');
    assert.equal(rest.data['nextCursor'], undefined);
    assert.equal((await many.log({ skip: 0, limit: 100 }, signal)).length, 41);
    await again.close();
  }));

  test('what is no revision is refused before git sees it, and no file is read through one', () => withFolder({ 'a.ts': 'x', '.env': 'canary' }, async (root) => {
    commitAll(root);
    const client = await connected(folderWorkspace(root));
    for (const revision of ['--output=pwned', '-p', 'HEAD:.env', 'HEAD --ext-diff', '$(touch pwned)', ':/First', '']) {
      const { failed, text } = await callTool(client, 'git_diff', { revision });
      assert.ok((failed || revision === '') && !text.includes('canary'), `${revision}: ${text}`);
    }
    assert.match((await callTool(client, 'git_log', { revision: 'nosuch' })).text, /does not know this revision/);
    assert.ok(!existsSync(join(root, 'pwned')));
    await client.close();
  }));

  test('attack 13: what a repository configures is not run', () => withFolder({ 'a.ts': 'one\n', '.gitattributes': '*.ts filter=evil diff=evil\n' }, async (root) => {
    commitAll(root);
    const touch = `sh -c 'touch "${join(root, '..', 'pwned')}"; cat'`;
    for (const [key, value] of [
      ['core.fsmonitor', touch], ['filter.evil.clean', touch], ['filter.evil.smudge', touch], ['filter.evil.process', touch], ['filter.evil.required', 'true'], ['diff.external', touch], ['diff.evil.textconv', touch],
      ['diff.evil.command', touch], ['core.pager', touch], ['core.sshCommand', touch], ['log.showSignature', 'true'], ['gpg.program', touch], ['core.hooksPath', join(root, 'hooks')], ['core.alternateRefsCommand', touch],
      ['pager.log', touch], ['pager.diff', touch], ['alias.status', `!${touch}`], ['core.askPass', touch],
    ] as const) git(root, 'config', key, value);
    await mkdir(join(root, 'hooks'));
    await writeFile(join(root, 'hooks/post-index-change'), `#!/bin/sh\ntouch "${join(root, '..', 'pwned')}"\n`, { mode: 0o755 });
    await writeFile(join(root, 'a.ts'), 'TWO\n');
    const own = new NodeGit(root);
    await own.status(signal);
    assert.match((await own.diff({ staged: false }, signal)).diff, /-one\n\+TWO/);
    assert.match((await own.diff({ staged: false, revision: 'HEAD' }, signal)).diff, /-one\n\+TWO/);
    await own.log({ skip: 0, limit: 5 }, signal);
    await own.blame({ path: 'a.ts', text: 'TWO\n', startLine: 1, endLine: 1 }, signal);
    assert.ok(!existsSync(join(root, '..', 'pwned')), 'a program of the repository ran');
  }));

  test('a repository whose data lies elsewhere is none, and no other work tree is read', () => withFolder({ 'a.ts': 'x\n' }, async (root, base) => {
    const other = join(base, 'private');
    await mkdir(other);
    await writeFile(join(other, 'a.ts'), 'canary\n');
    commitAll(other, 'canary');
    const own = new NodeGit(root);
    const refused = async (what: string): Promise<void> => assert.equal(await codeOf(own.log({ skip: 0, limit: 5 }, signal)), 'git.noRepository', what);
    await refused('no repository');
    await writeFile(join(root, '.git'), `gitdir: ${join(other, '.git')}\n`);
    await refused('a file that leads there');
    await rm(join(root, '.git'));
    await symlink(join(other, '.git'), join(root, '.git'));
    await refused('a link');
    await rm(join(root, '.git'));
    commitAll(root);
    await writeFile(join(root, '.git/commondir'), join(other, '.git'));
    await refused('a common folder');
    await rm(join(root, '.git/commondir'));
    for (const name of ['refs', 'objects']) {
      await rename(join(root, '.git', name), join(root, '.git', `${name}.own`));
      await symlink(join(other, '.git', name), join(root, '.git', name));
    }
    await refused('linked refs and objects');
    for (const name of ['refs', 'objects']) {
      await rm(join(root, '.git', name));
      await rename(join(root, '.git', `${name}.own`), join(root, '.git', name));
    }
    git(root, 'config', 'core.worktree', other);
    assert.equal((await own.diff({ staged: false }, signal)).diff, '');
    git(root, 'config', '--unset', 'core.worktree');
  }));

  test('a work tree of git worktree is a repository', () => withFolder({ 'a.ts': 'x\n' }, async (root, base) => {
    commitAll(root, 'Main');
    git(root, 'worktree', 'add', '--quiet', join(base, 'tree'));
    const tree = new NodeGit(join(base, 'tree'));
    assert.equal((await tree.log({ skip: 0, limit: 5 }, signal))[0]?.subject, 'Main');
    assert.equal((await tree.status(signal)).branch, 'tree');
    assert.match(await readFile(join(base, 'tree/.git'), 'utf8'), /^gitdir: /);
  }));
});
