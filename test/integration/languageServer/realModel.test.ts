import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { InlineCompletionItem } from 'vscode-languageserver/node';
import type { InlineMeasurement } from '../../../src/protocol/inline.js';
import { configuration, Editor } from '../../support/languageServer/editor.js';
import { completionModel, RealSidecar } from '../../support/languageServer/realSidecar.js';

/** The real server, the real sidecar process and Qwen2.5-Coder 0.5B; only the editor is a test. */
suite('inline suggestions with a real model', function () {
  this.timeout(240_000);
  let sidecar: RealSidecar;
  let editor: Editor;

  suiteSetup(async () => {
    sidecar = await RealSidecar.start();
    editor = await Editor.start(sidecar.engine, { configuration: { ...configuration, model: completionModel } });
    await editor.show('file:///repo/src/warm.ts', 'typescript', '');
    await editor.status('ready');
  });
  suiteTeardown(async () => {
    editor.dispose();
    await sidecar.stop();
  });

  const inserted = (items: readonly InlineCompletionItem[] | null): string => {
    const text = items?.[0]?.insertText ?? '';
    assert.equal(typeof text, 'string');
    return text as string;
  };
  const last = (): InlineMeasurement => editor.measurements.at(-1) ?? assert.fail('no measurement');
  const report = (name: string): void => {
    const { source, totalMs, debounceMs, stats } = last();
    const engine = stats === undefined ? '' : `; prefill ${Math.round(stats.prefillMs)} ms for ${stats.tokensIn - stats.tokensCached} of ${stats.tokensIn} tokens, decode ${Math.round(stats.decodeMs)} ms for ${stats.tokensOut}`;
    console.log(`      ${name}: ${Math.round(totalMs)} ms from ${source}, of it ${Math.round(debounceMs)} ms debounce${engine}`);
  };

  const cases: readonly { name: string; uri: string; languageId: string; marked: string; expected: RegExp; multiline?: boolean }[] = [
    { name: 'an expression', uri: 'file:///repo/src/add.ts', languageId: 'typescript', marked: 'export function add(a: number, b: number): number {\n  return |\n}\n', expected: /^a \+ b;?$/u },
    {
      name: 'an argument', uri: 'file:///repo/src/users.ts', languageId: 'typescript',
      marked: 'interface User { name: string; age: number }\n\nexport function namesOf(users: User[]): string[] {\n  return users.map((user) => |);\n}\n', expected: /^user\.name$/u,
    },
    {
      name: 'a method body', uri: 'file:///repo/src/stack.ts', languageId: 'typescript', multiline: true,
      marked: 'export class Stack<T> {\n  private readonly items: T[] = [];\n\n  push(item: T): void {|\n', expected: /^\s*this\.items\.push\(item\);\n\s*\}$/u,
    },
    { name: 'an expression in Python', uri: 'file:///repo/even.py', languageId: 'python', marked: 'def is_even(n: int) -> bool:\n    return |\n', expected: /^n % 2 == 0$/u },
    {
      name: 'a function body in Python', uri: 'file:///repo/fact.py', languageId: 'python', multiline: true,
      marked: 'def factorial(n: int) -> int:|\n\n\nprint(factorial(5))\n', expected: /^\n {4}.*(?:factorial\(n ?- ?1\)|range\()/su,
    },
  ];
  for (const { name, uri, languageId, marked, expected, multiline = false } of cases) {
    test(name, async () => {
      // Invoked, since a block that comes by itself may be shorter where the machine is slow.
      const text = inserted(await editor.type(marked, { uri, languageId, invoked: true }));
      report(name);
      assert.match(text, expected);
      assert.equal(text.includes('\n'), multiline, JSON.stringify(text));
      assert.equal(text, text.trimEnd());
    });
  }

  test('the second keystroke reads only what is new', async () => {
    const head = Array.from({ length: 40 }, (_, i) => `export const limit${i} = ${i * 7};\n`).join('');
    await editor.type(`${head}export const total = |\n`, { uri: 'file:///repo/src/limits.ts' });
    report('a file of 40 lines, first');
    await editor.type(`${head}export const total = lim|\n`, { uri: 'file:///repo/src/limits.ts' });
    await editor.type(`${head}export const total = 2 + |\n`, { uri: 'file:///repo/src/limits.ts' });
    report('a file of 40 lines, again');
    const { stats } = last();
    assert.ok(stats !== undefined && stats.tokensCached / stats.tokensIn > 0.9, JSON.stringify(stats));
  });

  test('typing through a suggestion needs no model', async () => {
    const text = inserted(await editor.type('export function mul(a: number, b: number): number {\n  return |\n}\n', { uri: 'file:///repo/src/mul.ts' }));
    const rest = inserted(await editor.type(`export function mul(a: number, b: number): number {\n  return ${text.slice(0, 3)}|\n}\n`, { uri: 'file:///repo/src/mul.ts' }));
    report('continued');
    assert.equal(rest, text.slice(3));
    assert.equal(last().source, 'cache');
    assert.ok(last().totalMs < 100, `${last().totalMs} ms`);
  });

  test('a cancelled request leaves the engine free', async () => {
    const cancel = sleep(600);
    let cancelledAt = Infinity;
    void cancel.then(() => (cancelledAt = performance.now()));
    const uri = 'file:///repo/src/long.ts';
    const items = await editor.type('// All letters of the alphabet, one to a line.\nexport const letters = [|\n', { uri, invoked: true, cancel });
    const waited = performance.now() - cancelledAt;
    assert.equal(items, null);
    assert.ok(waited < 100, `${waited} ms after the cancellation`);
    console.log(`      cancelled: answered ${waited.toFixed(1)} ms later`);
    await sleep(200);
    const status = await sidecar.engine.status();
    assert.ok(status.ok && status.value.queued === 0, JSON.stringify(status));
  });

  test('after the sidecar is killed, suggestions stay silent and come back', async () => {
    const status = await sidecar.engine.status();
    assert.ok(status.ok);
    process.kill(status.value.pid, 'SIGKILL');
    const killedAt = performance.now();
    for (let i = 0; ; i++) {
      const text = inserted(await editor.type(`export function sub${i}(a: number, b: number): number {\n  return |\n}\n`, { uri: 'file:///repo/src/sub.ts' }));
      if (/a - b/u.test(text)) break;
      assert.ok(performance.now() - killedAt < 30_000, `no suggestion since: ${JSON.stringify(editor.statuses.slice(-4))}`);
      await sleep(200);
    }
    console.log(`      killed: a suggestion ${Math.round(performance.now() - killedAt)} ms later`);
  });
});
