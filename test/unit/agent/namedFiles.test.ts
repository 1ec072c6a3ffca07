import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { changedFiles, commandFiles } from '../../../src/agent/workspace/namedFiles.js';
import { hashText } from '../../../src/agent/workspace/nodeEdits.js';
import { withFolder } from './support/folder.js';

suite('files that a command names', () => {
  const files = {
    'run.sh': 'a', 'my script.sh': 'b', 'sub/run.sh': 'c', 'sub/package.json': '{}', 'package.json': '{}', 'Makefile': 'all:', 'conf.json': 'd', 'out.log': 'e', 'src/a.ts': 'f',
  };

  test('as words, in quotes, below a folder that it names, after = and through what its program reads', () => withFolder(files, async (root) => {
    const named = async (command: string): Promise<string> => Object.keys(await commandFiles(root, command)).join(', ');
    for (const [command, expected] of [
      ['ls -la', ''], ['echo hello', ''], ['./run.sh', 'run.sh'], ['sh run.sh --fast', 'run.sh'], ["bash 'my script.sh'", 'my script.sh'], ['bash my\\ script.sh', 'my script.sh'],
      ['cd sub && ./run.sh', 'run.sh, sub/run.sh'], ['npm test', 'package.json'], ['CI=1 npm --prefix sub run x', 'package.json, sub/package.json'], ['make -j2', 'Makefile'],
      ['node --config=conf.json src/a.ts', 'conf.json, package.json, src/a.ts'], ['sh -c "cat conf.json | ./run.sh"', 'conf.json, run.sh'], ['./run.sh > out.log 2>> "my script.sh"', 'run.sh'],
      [`${root}/run.sh`, 'run.sh'], ['cat <conf.json', 'conf.json'], ['$(./run.sh);`cat out.log`', 'out.log, run.sh'],
    ] as const) assert.equal(await named(command), expected, command);
    assert.deepEqual(await commandFiles(root, 'sh run.sh'), { 'run.sh': hashText('a') });
  }));

  test('never those outside of the folder, by path or by link; by what a link inside of it leads to', () => withFolder(files, async (root, outside) => {
    await writeFile(join(outside, 'other.sh'), 'x');
    await mkdir(join(outside, 'elsewhere'));
    await writeFile(join(outside, 'elsewhere', 'run.sh'), 'x');
    if (process.platform !== 'win32') {
      await symlink('../other.sh', join(root, 'out.sh'));
      await symlink('../elsewhere', join(root, 'away'));
      await symlink('sub/run.sh', join(root, 'in.sh'));
      assert.deepEqual(Object.keys(await commandFiles(root, 'sh in.sh; sh out.sh; cd away; sh away/run.sh')), ['sub/run.sh']);
    }
    assert.deepEqual(await commandFiles(root, `sh ../other.sh ${join(outside, 'other.sh')} a\0b ${'x'.repeat(3_000)}`), {});
  }));

  test('what changed: other content, gone, and new ones', () => {
    assert.deepEqual(changedFiles({ a: '1', b: '1', c: '1' }, { a: '1', b: '2', d: '1' }), ['b', 'c', 'd']);
    assert.deepEqual(changedFiles({ a: '1' }, { a: '1' }), []);
  });
});
