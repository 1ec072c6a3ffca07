import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandShape } from '../../../src/agent/commandShape.js';
import { decide, everAllowed, noGrants, pathClasses, policyTable, type Grants } from '../../../src/agent/policy.js';
import type { Isolation } from '../../../src/agent/ports.js';
import { commandReach, pathReach } from '../../../src/agent/reach.js';
import { SessionGrants } from '../../../src/agent/sessionGrants.js';
import { hashText } from '../../../src/agent/workspace/nodeEdits.js';
import { toolClasses, type Approval, type ToolClass, type Zone } from '../../../src/protocol/agentEvents.js';
import { withFolder } from './support/folder.js';

/** Everything that a user could allow, allowed. */
const all: Grants = { allows: () => true, changedSince: () => [], allowsTool: () => 'session' as const };

/** Zone and class: the verdicts for workspace, protected, secret, outside, server. First without any approval for the session, then with every one. */
const expected: readonly (readonly [Zone, ToolClass, string, string])[] = [
  ['full', 'read', 'allow allow deny deny deny', 'allow allow deny deny deny'],
  ['full', 'write', 'ask ask ask deny deny', 'allow ask ask deny deny'],
  ['full', 'execute', 'ask ask deny ask ask', 'allow ask deny ask ask'],
  ['full', 'network', 'ask ask deny ask ask', 'ask ask deny ask ask'],
  ['verify', 'read', 'allow allow deny deny deny', 'allow allow deny deny deny'],
  ['verify', 'write', 'ask ask deny deny deny', 'ask ask deny deny deny'],
  ['verify', 'execute', 'ask deny deny deny deny', 'ask deny deny deny deny'],
  ['verify', 'network', 'deny deny deny deny deny', 'deny deny deny deny deny'],
  ['zero', 'read', 'allow allow deny deny deny', 'allow allow deny deny deny'],
  ['zero', 'write', 'deny deny deny deny deny', 'deny deny deny deny deny'],
  ['zero', 'execute', 'deny deny deny deny deny', 'deny deny deny deny deny'],
  ['zero', 'network', 'deny deny deny deny deny', 'deny deny deny deny deny'],
];

suite('policy', () => {
  const isolation = { kind: 'sandbox', network: false } as const;
  const command = { text: 'npm test', shape: 'plain' as const, isolation, files: {} };
  const verdicts = (zone: Zone, toolClass: ToolClass, grants: Grants): string =>
    pathClasses.map((path) => decide({ zone, class: toolClass, path, command }, grants).verdict).join(' ');

  test('the whole table, without and with everything allowed for the session', () => {
    assert.equal(expected.length, Object.keys(policyTable).length * toolClasses.length);
    for (const [zone, toolClass, without, withAll] of expected) {
      assert.equal(verdicts(zone, toolClass, noGrants), without, `${zone} ${toolClass}`);
      assert.equal(verdicts(zone, toolClass, all), withAll, `${zone} ${toolClass}, all allowed`);
    }
  });

  test('each verdict has a sentence as its reason', () => {
    for (const [zone, toolClass] of expected) {
      for (const path of pathClasses) {
        for (const grants of [noGrants, all]) assert.match(decide({ zone, class: toolClass, path, why: 'It is special.', command }, grants).reason, /^[A-Z].*\.$/);
        assert.match(decide({ zone, class: toolClass, path }, noGrants).reason, /^[A-Z].*\.$/);
      }
    }
  });

  test('what may be remembered: nothing for protected files, nothing that is hidden, and of a shell\'s lines only the very same', () => {
    const remember = (toolClass: ToolClass, path: (typeof pathClasses)[number], shape: 'plain' | 'shell' | 'hidden'): readonly string[] =>
      decide({ zone: 'full', class: toolClass, path, command: { text: 'x', shape, isolation, files: {} } }, noGrants).remember;
    assert.deepEqual(remember('write', 'workspace', 'plain'), ['session']);
    for (const path of ['protected', 'secret', 'outside'] as const) assert.deepEqual([remember('write', path, 'plain'), remember('execute', path, 'plain'), remember('network', path, 'plain')], [[], [], []]);
    assert.deepEqual([remember('execute', 'workspace', 'plain'), remember('execute', 'workspace', 'shell'), remember('execute', 'workspace', 'hidden')], [['exact', 'session'], ['exact'], []]);
    const plainOnly: Grants = { allows: () => true, changedSince: () => undefined, allowsTool: () => undefined };
    const verdict = (shape: 'plain' | 'shell' | 'hidden', grants: Grants): string => decide({ zone: 'full', class: 'execute', path: 'workspace', command: { text: 'x', shape, isolation, files: {} } }, grants).verdict;
    assert.deepEqual([verdict('plain', plainOnly), verdict('shell', plainOnly), verdict('hidden', plainOnly)], ['allow', 'ask', 'ask']);
    assert.deepEqual([verdict('shell', all), verdict('hidden', all)], ['allow', 'ask']);
  });

  test('tools for which a zone allows nothing are not offered there', () => {
    const offered = (zone: Zone): string => toolClasses.filter((toolClass) => everAllowed(zone, toolClass)).join(' ');
    assert.deepEqual([offered('full'), offered('verify'), offered('zero')], ['read write execute network', 'read write execute', 'read']);
  });
});

suite('reach of a call', () => {
  test('attacks 1, 3, 5, 6, 7: by name and by what links make of it, the stricter counts', () => withFolder({ 'a.ts': 'x', '.vscode/settings.json': '{}', '.env': 'K=1', 'docs/b.md': '' }, async (root, outside) => {
    await writeFile(join(outside, 'secret.txt'), 'x');
    await mkdir(join(root, '.git/hooks'), { recursive: true });
    if (process.platform !== 'win32') {
      for (const [link, target] of [['docs/settings', '../.vscode/settings.json'], ['docs/hooks', '../.git/hooks'], ['docs/out', '../../secret.txt'], ['docs/keys', '../.env']] as const) await symlink(target, join(root, link));
    }
    const classes = async (...paths: string[]): Promise<string> => (await Promise.all(paths.map(async (path) => (await pathReach(root, path)).path))).join(' ');
    assert.equal(await classes('', 'a.ts', 'docs/b.md', 'new/file.ts', join(root, 'a.ts')), 'workspace workspace workspace workspace workspace');
    assert.equal(await classes('.vscode/settings.json', '.VSCODE/Settings.json', './x/../.vscode/new.json', '.mcp.json', 'package.json', 'yarn.lock', 'VSCODE~1/x', 'sub/.github/x'), Array(8).fill('protected').join(' '));
    assert.equal(await classes('.env', '.ENV', 'sub/.npmrc', '.git/hooks/pre-commit', 'id_rsa'), Array(5).fill('secret').join(' '));
    assert.equal(await classes('../x', '/etc/passwd', '~/x', `${root}-secret/x`, 'a.ts::$DATA', 'a.ts.', 'a\0b'), Array(7).fill('outside').join(' '));
    if (process.platform !== 'win32') assert.equal(await classes('docs/settings', 'docs/hooks/pre-commit', 'docs/out', 'docs/keys'), 'protected secret outside secret');
  }));

  test('of a command: what its sandbox leaves it', async () => {
    const reach = async (isolation: Isolation): Promise<string> => {
      const { path, class: toolClass, why } = await commandReach(process.cwd(), { isolation: () => Promise.resolve(isolation), run: () => Promise.reject(new Error('not run')) }, 'npm test');
      return [path, toolClass, why].filter((part) => part !== undefined).join(' ');
    };
    assert.equal(await reach({ kind: 'sandbox', network: false }), 'workspace');
    assert.equal(await reach({ kind: 'sandbox', network: true }), 'outside network It can use the network.');
    assert.equal(await reach({ kind: 'none', why: 'bubblewrap is missing.' }), 'outside It runs without a sandbox: bubblewrap is missing.');
  });
});

test('shape of a command: plain words are plain, everything else is not', () => {
  for (const plain of ['npm test', 'git status', 'ls', './run.sh --a=b x/y.ts', 'make -j4', 'node out/a.js', 'pytest tests/test_a.py::test_b']) assert.equal(commandShape(plain), 'plain', plain);
  for (const shell of ['A=1 ls', 'ls;ls', 'ls | x', 'echo $A', 'echo "a"', 'ls *', 'ls > a', 'ls  x', ' ls', 'ls ', 'cd x', 'export A=1', 'eval x', '/bin/sh x', 'sudo ls', 'env x', '~/x', 'ls ~', 'a\\b', 'ls\tx', 'ls &', 'x {a,b}', '!x', 'echo ü', '#x', '']) assert.equal(commandShape(shell), 'shell', shell);
  for (const hidden of ['ls\nx', `ls${' '.repeat(30)};x`, 'ls \u202e', 'ls\u200b']) assert.equal(commandShape(hidden), 'hidden', hidden);
});

suite('what is allowed for a session', () => {
  const edit = (remember?: Approval['remember']): Approval => ({ id: 'a', kind: 'edit', edit: { path: 'a', kind: 'create', before: '', after: '', beforeHash: '' }, ...(remember ? { remember } : {}) });
  const command = (text: string, remember?: Approval['remember']): Approval => ({ id: 'a', kind: 'command', command: text, cwd: '/', ...(remember ? { remember } : {}) });

  test('holds for its folder and its kind, and can be taken back', () => {
    const grants = new SessionGrants();
    assert.ok(grants.remember('one', edit(['session']), 'session'));
    assert.ok(grants.remember('one', command('make', ['exact', 'session']), 'exact'));
    const one = grants.of('one');
    assert.deepEqual([one.allows('write'), one.allows('execute'), one.changedSince('make', {}), one.changedSince('make ', {}), grants.of('two').allows('write'), grants.of('two').changedSince('make', {})], [true, false, [], undefined, false, undefined]);
    for (const grant of grants.all) grants.revoke({ ...grant });
    assert.deepEqual([one.allows('write'), one.changedSince('make', {}), grants.all], [false, undefined, []]);
  });

  test('attack 15: exactly a command is allowed while the files that it names stay as they were; only edits that the user accepts take it along', async () => {
    const grants = new SessionGrants();
    const asked = (hash: string): Approval => ({ id: 'a', kind: 'command', command: 'sh run.sh', cwd: '/', files: { 'run.sh': hash }, remember: ['exact'] });
    const verdict = (files: Record<string, string>): unknown[] => {
      const { verdict: said, warning, reason } = decide({ zone: 'full', class: 'execute', path: 'workspace', command: { text: 'sh run.sh', shape: 'plain', isolation: { kind: 'sandbox', network: false }, files } }, grants.of('f'));
      return said === 'allow' ? [said] : [said, warning, reason.includes('changed since')];
    };
    const [old, now] = [hashText('old'), hashText('new')];
    assert.ok(grants.remember('f', asked(old), 'exact'));
    assert.deepEqual(verdict({ 'run.sh': old }), ['allow']);
    assert.deepEqual(verdict({ 'run.sh': now }), ['ask', '"run.sh" changed since you allowed this command.', true]);
    assert.deepEqual([verdict({}), verdict({ 'run.sh': old, 'b.sh': now })], [['ask', '"run.sh" changed since you allowed this command.', true], ['ask', '"b.sh" changed since you allowed this command.', true]]);
    const edits = grants.following('f', { apply: ({ path }) => (path === 'no.sh' ? Promise.reject(new Error('no')) : Promise.resolve()) });
    const edit = { path: 'run.sh', kind: 'replace', before: 'old', after: 'new', beforeHash: old } as const;
    await edits.apply({ ...edit, before: 'other', beforeHash: hashText('other') }, new AbortController().signal);
    await assert.rejects(edits.apply({ ...edit, path: 'no.sh' }, new AbortController().signal));
    assert.deepEqual([verdict({ 'run.sh': old }), verdict({ 'run.sh': now })[0]], [['allow'], 'ask'], 'not an edit of what was allowed');
    await edits.apply(edit, new AbortController().signal);
    assert.deepEqual([verdict({ 'run.sh': now }), verdict({ 'run.sh': old })[0]], [['allow'], 'ask']);
    assert.ok(grants.remember('f', { ...asked(old), remember: ['exact'] }, 'exact'));
    assert.deepEqual([verdict({ 'run.sh': old }), grants.all.length], [['allow'], 1], 'a newer yes takes the place of the older');
  });

  test('a yes is remembered only as the approval offered it', () => {
    const grants = new SessionGrants();
    for (const approval of [edit(), command('rm x'), command('rm x', ['exact'])]) assert.equal(grants.remember('one', approval, 'session'), false);
    assert.equal(grants.remember('one', command('rm x'), 'exact'), false);
    assert.deepEqual(grants.all, []);
  });
});
