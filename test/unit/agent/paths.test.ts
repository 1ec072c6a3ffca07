import assert from 'node:assert/strict';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashText, NodeEdits } from '../../../src/agent/workspace/nodeEdits.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import { normalisePath, openResolved, resolveInside } from '../../../src/context/files/paths.js';
import { protectedReason } from '../../../src/agent/workspace/protectedPaths.js';
import { isSecretPath } from '../../../src/base/secretPaths.js';
import { codeOf, ripgrep, withFolder } from './support/folder.js';

const signal = new AbortController().signal;
const created = (path: string): Parameters<NodeEdits['apply']>[0] => ({ path, kind: 'create', before: '', after: 'x', beforeHash: hashText('') });

suite('workspace paths', () => {
  test('plain forms of a path are the same path', () => {
    for (const path of ['src/a.ts', './src/a.ts', 'src//a.ts', 'src/b/../a.ts', 'src\\a.ts', ' src/a.ts', '/w/app/src/a.ts']) {
      assert.equal(normalisePath(path, '/w/app'), 'src/a.ts', path);
    }
    for (const path of ['', '.', './', '/w/app', '/w/app/']) assert.equal(normalisePath(path, '/w/app'), '', path);
  });

  test('attack 5: what a file system would read differently is refused', () => {
    for (const path of ['.vscode/settings.json::$DATA', 'a:b', 'c:\\x', 'C:x', 'settings.json.', 'settings.json /x', 'dir./x', '~/x', 'a\0b', '\\\\host\\share', '//host/share']) {
      assert.throws(() => normalisePath(path, '/w/app'), { name: 'LoupeFailure' }, path);
    }
  });

  test('attack 5: protected and secret paths are recognised in every spelling', () => {
    for (const path of ['.VSCODE/Settings.json', './.vscode/settings.json', '.vscode/settings.json.', '.vscode\\settings.json', '.vscode/settings.json::$DATA', 'SETTIN~1.JSO', 'a/.GIT/hooks/pre-commit', '.github/workflows/ci.yml', 'x.Code-Workspace', '.MCP.json', 'Package.json', 'sub/package-lock.json', 'build.rs', '.npmrc', '.yarnrc.yml', 'a.csproj', 'Directory.Build.props', '.bashrc', '.env.local', '.gitattributes', '.cursor/mcp.json', '.claude/x']) {
      assert.notEqual(protectedReason(path), undefined, path);
    }
    for (const path of ['src/a.ts', 'README.md', 'environment.ts', 'src/package.ts']) assert.equal(protectedReason(path), undefined, path);
    for (const path of ['.env', '.ENV', 'a/.env.production', '.env.', 'id_rsa', 'server.PEM', '.git/config', '.ssh/known_hosts', '.npmrc']) assert.ok(isSecretPath(path), path);
    for (const path of ['.env.example', 'src/env.ts', '.github/workflows/ci.yml', 'keys.ts', '.gitignore']) assert.ok(!isSecretPath(path), path);
  });

  test('attack 6: a sibling that begins with the same name is outside', () => withFolder({ 'a.txt': 'in' }, async (root, base) => {
    await mkdir(join(base, 'app-secret'));
    await writeFile(join(base, 'app-secret/x'), 'canary');
    const workspace = new NodeWorkspace(root, ripgrep);
    for (const path of [join(base, 'app-secret/x'), '../app-secret/x', 'b/../../app-secret/x']) {
      assert.equal(await codeOf(workspace.readFile(path, signal)), 'path.outsideWorkspace', path);
      assert.equal(await codeOf(new NodeEdits(root).apply(created(path), signal)), 'path.outsideWorkspace', path);
      assert.equal(await codeOf(workspace.listFiles({ under: path, limit: 9 }, signal)), 'path.outsideWorkspace', path);
    }
    assert.equal(await readFile(join(base, 'app-secret/x'), 'utf8'), 'canary');
  }));

  test('attack 7: links out are refused for reading, creating and changing; links inside work', () => withFolder({ 'real/a.txt': 'in' }, async (root, base) => {
    await writeFile(join(base, 'secret'), 'canary');
    await symlink(join(base, 'secret'), join(root, 'file'));
    await symlink(base, join(root, 'dir'));
    await symlink(join(base, 'not-there'), join(root, 'dangling'));
    await symlink('real', join(root, 'inside'));
    const workspace = new NodeWorkspace(root, ripgrep);
    const edits = new NodeEdits(root);
    for (const path of ['file', 'dir/secret', 'dangling', 'dir/new', 'dir/deep/new']) {
      assert.equal(await codeOf(workspace.readFile(path, signal)), 'path.outsideWorkspace', path);
      assert.equal(await codeOf(edits.apply(created(path), signal)), 'path.outsideWorkspace', path);
    }
    assert.equal(await readFile(join(base, 'secret'), 'utf8'), 'canary');
    assert.equal(await workspace.readFile('inside/a.txt', signal), 'in');
    assert.equal((await resolveInside(root, 'inside/new/b')).relative, 'real/new/b');
    const { matches } = await workspace.searchText({ pattern: 'canary', regex: false, caseSensitive: false, limit: 9 }, signal);
    assert.deepEqual(matches, []);
  }));

  for (const exact of [undefined, false]) {
    test(`attack 7: a folder or file swapped for a link between check and open gives nothing away${exact === false ? ', by path alone' : ''}`, () => withFolder({ 'd/f': 'inside' }, async (root, base) => {
      const options = exact === undefined ? undefined : { exact };
      await mkdir(join(base, 'evil'));
      await writeFile(join(base, 'evil/f'), 'canary');
      await symlink(join(base, 'evil'), join(root, 'link'));
      const before = await resolveInside(root, 'd/f');
      await rename(join(root, 'd'), join(root, 'aside'));
      await rename(join(root, 'link'), join(root, 'd'));
      assert.equal(await codeOf(openResolved(root, 'd/f', before, options)), 'path.outsideWorkspace');
      await rename(join(root, 'd'), join(root, 'link'));
      await rename(join(root, 'aside'), join(root, 'd'));
      const { handle } = await openResolved(root, 'd/f', before, options);
      assert.equal(await handle.readFile('utf8'), 'inside');
      await handle.close();
      await rename(join(root, 'd/f'), join(root, 'f'));
      await symlink(join(base, 'evil/f'), join(root, 'd/f'));
      assert.equal(await codeOf(openResolved(root, 'd/f', before, options)), 'path.outsideWorkspace', 'the file itself swapped for a link');
    }));
  }

  test('what is not a file, too large or not text is said', () => withFolder({ 'a/b': 'x', big: Buffer.alloc(2_000_001, 97), bin: Buffer.from([1, 0, 2]) }, async (root) => {
    const workspace = new NodeWorkspace(root, ripgrep);
    assert.equal(await codeOf(workspace.readFile('a', signal)), 'path.notFound');
    assert.equal(await codeOf(workspace.readFile('a/b/c', signal)), 'path.notFound');
    assert.equal(await codeOf(workspace.readFile('big', signal)), 'tool.failed');
    assert.equal(await codeOf(workspace.readFile('bin', signal)), 'tool.failed');
    await rm(join(root, 'a/b'));
    assert.equal(await codeOf(workspace.readFile('a/b', signal)), 'path.notFound');
  }));
});
