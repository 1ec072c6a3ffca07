import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IgnoreRules } from '../../../src/context/files/ignoreRules.js';
import { isGenerated, isMinified, leftOutByName, textOrReason } from '../../../src/context/files/leftOut.js';
import { holdsSecret } from '../../../src/context/files/secretContent.js';
import { readText, walk } from '../../../src/context/files/walk.js';
import { never, Repository } from '../../support/context/repository.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
/** Secrets are put together here, so that no scanner takes this file for a leak. */
const part = (text: string): string => text;
const secrets = {
  key: `-----BEGIN RSA ${part('PRIVATE')} KEY-----\n${'MIIEowIBAAKCAQEA7bq8r0Zp'.repeat(4)}\n`,
  aws: `id = ${part('AKIA')}3SGQ7XJ2LMNOPQRS`,
  github: `token: ${part('ghp_')}${'a1B2c3D4e5F6'.repeat(3)}`,
  slack: `${part('xoxb')}-123456789012-abcdefABCDEF`,
  assigned: `const apiKey = "${part('q7Zx9Lm2')}Vb4Nc8Rt1Ys6Kd3Wf5Gh0Jp"`,
  url: `postgres://shop:${part('x9Kd72Lq')}Mz@db.internal/shop`,
};

suite('context: what is remembered', () => {
  let repository: Repository | undefined;
  teardown(() => {
    repository?.dispose();
    repository = undefined;
  });
  const pathsOf = async (files: Record<string, string | Buffer>): Promise<string[]> => {
    repository = await Repository.make(files);
    return (await walk(repository.root, { limit: 1_000, signal: never })).files.map(({ path }) => path);
  };

  test('rules hold at every level, the deeper before the higher, the last in a file before the first', async () => {
    const paths = await pathsOf({
      '.gitignore': '*.log\n/build\n!keep.log\ndocs/*.txt\n', 'a.log': '', 'keep.log': '', 'build/x.ts': '', 'src/build/y.ts': '', 'docs/a.txt': '', 'docs/deep/a.txt': '',
      'src/.gitignore': 'secret-plan.md\n!*.log\n', 'src/b.log': '', 'src/secret-plan.md': '', 'secret-plan.md': '', '.git/info/exclude': 'private/\n', 'private/z.ts': '', '.git/config': '',
    });
    assert.deepEqual(paths, ['.gitignore', 'docs/deep/a.txt', 'keep.log', 'secret-plan.md', 'src/.gitignore', 'src/b.log', 'src/build/y.ts']);
  });

  test('.loupeignore leaves out what git keeps, and brings back what git or Loupe leaves out, but no secret', async () => {
    const paths = await pathsOf({
      '.gitignore': 'notes/\n', '.loupeignore': 'big/\n!notes/\n!vendor/\n!.env\n', 'big/x.ts': '', 'notes/n.md': '', 'vendor/v.go': '', 'node_modules/p/i.js': '', '.env': 'A=1', 'package-lock.json': '{}',
    });
    assert.deepEqual(paths, ['.gitignore', '.loupeignore', 'notes/n.md', 'vendor/v.go']);
  });

  test('rules of a folder hold in it only, and may bring back what a higher one leaves out', () => {
    const rules = IgnoreRules.root(['logs/\n*.tmp'], false).below({ folder: 'a [x]', texts: ['!logs/\n/top.ts\nsub/one.ts\n\\#odd\n# nothing\n!keep.tmp'] });
    for (const path of ['logs/', 'x.tmp', 'a [x]/top.ts', 'a [x]/sub/one.ts', 'a [x]/deep/#odd', 'a [x]/y.tmp']) assert.ok(rules.ignores(path.replace(/\/$/, ''), path.endsWith('/')), path);
    for (const path of ['a [x]/logs/', 'a [x]/logs/l.ts', 'top.ts', 'a [x]/deep/top.ts', 'a [x]/deep/sub/one.ts', '#odd', 'a [x]/deep/keep.tmp', 'a x/top.ts']) {
      assert.ok(!rules.ignores(path.replace(/\/$/, ''), path.endsWith('/')), path);
    }
  });

  test('a rule made to be slow does not stop the walk', () => {
    const rules = IgnoreRules.root([`${'*a'.repeat(20)}b\n${'**/a/'.repeat(8)}b\nplain.ts`], false);
    const started = performance.now();
    assert.equal(rules.ignores('a'.repeat(250), false), false);
    assert.equal(rules.ignores('plain.ts', false), true);
    assert.ok(performance.now() - started < 200);
  });

  test('names that hold secrets are left out, whatever the rules say', () => {
    for (const path of ['.env', '.env.example', 'a/.env.local', 'id_rsa', 'deploy/server.pem', 'a.key', '.npmrc', 'credentials.json', '.aws/credentials', 'prod.tfvars', '.ENV', 'secrets.yaml', '.ssh/config']) {
      assert.equal(leftOutByName(path, 10), 'secret', path);
    }
    for (const path of ['src/env.ts', 'docs/keys.md', 'src/credentials.ts']) assert.equal(leftOutByName(path, 10), undefined, path);
  });

  test('files that hold a key or a token are left out as a whole', () => {
    for (const [name, text] of Object.entries(secrets)) {
      assert.ok(holdsSecret(`first line\n${text}\n`), name);
      assert.deepEqual(textOrReason('src/config.ts', bytes(text)), { reason: 'secret' }, name);
    }
  });

  test('code about secrets is no secret', () => {
    for (const text of [
      `if (text.includes('-----BEGIN ${part('PRIVATE')} KEY-----')) throw new Error('no');`, 'const apiKey = process.env["API_KEY"];', 'password: "correct horse battery staple"',
      'token = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"', 'const tokenEndpoint = "https://login.example.com/oauth2/v2.0/token";', `AWS docs say ${part('AKIA')}IOSFODNN7EXAMPLE`, 'http://user:${password}@host/', 'class="sk-container-id"',
    ]) assert.ok(!holdsSecret(text), text);
  });

  test('binary, generated, minified and large files are left out', () => {
    assert.deepEqual(textOrReason('a.ts', Buffer.from([97, 0, 98])), { reason: 'binary' });
    assert.deepEqual(textOrReason('a.ts', Buffer.from([0xff, 0xfe, 97])), { reason: 'binary' });
    assert.equal(leftOutByName('a.ts', 600_000), 'large');
    assert.equal(leftOutByName('fixtures.json', 100_000), 'data');
    for (const head of ['// Code generated by protoc-gen-go. DO NOT EDIT.\n', '/**\n * @generated\n */\n', '# This file is automatically generated. Do not modify it.\n']) assert.ok(isGenerated(head), head);
    assert.ok(!isGenerated('// Writes the text that says "generated" into files.\nexport const x = 1;\n'));
    assert.ok(isMinified('a.js', `${'var a=1;'.repeat(600)}\n`));
    assert.ok(!isMinified('a.md', `${'A long paragraph of prose. '.repeat(200)}\n`));
    assert.deepEqual(textOrReason('a.ts', bytes('export const a = 1;\n')), { text: 'export const a = 1;\n' });
  });

  test('links are not followed, neither to files nor to folders, in or out of the root', async () => {
    const paths = await pathsOf({ 'src/a.ts': 'export const a = 1;\n' });
    const { root } = repository!;
    await mkdir(repository!.outside('elsewhere'));
    await writeFile(join(repository!.outside('elsewhere'), 'b.ts'), 'outside');
    await symlink(repository!.outside('elsewhere'), join(root, 'out'));
    await symlink(join(repository!.outside('elsewhere'), 'b.ts'), join(root, 'b.ts'));
    await symlink(join(root, 'src', 'a.ts'), join(root, 'inside.ts'));
    await symlink(root, join(root, 'loop'));
    assert.deepEqual((await walk(root, { limit: 100, signal: never })).files.map(({ path }) => path), paths);
    assert.deepEqual(await readText(root, 'out/b.ts'), { reason: 'unreadable' });
    assert.deepEqual(await readText(root, 'b.ts'), { reason: 'unreadable' });
    assert.deepEqual(await readText(root, 'inside.ts'), { reason: 'unreadable' });
    assert.deepEqual(await readText(root, '../elsewhere/b.ts'), { reason: 'unreadable' });
  });

  test('a walk ends when it is cancelled, and says when there is more than it takes', async () => {
    await pathsOf({ 'a.ts': '', 'b.ts': '', 'c.ts': '' });
    const { root } = repository!;
    assert.equal((await walk(root, { limit: 2, signal: never })).truncated, true);
    await assert.rejects(walk(root, { limit: 10, signal: AbortSignal.abort() }), { name: 'AbortError' });
  });
});
