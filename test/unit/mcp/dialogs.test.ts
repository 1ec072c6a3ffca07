import assert from 'node:assert/strict';
import { register } from 'node:module';

/** What the stand-in for the editor's API shows, and how the user answers. */
interface Shown { readonly message: string; readonly detail: string; readonly actions: readonly string[]; answer(action: string | undefined): void }
const dialogs: Shown[] = [];
const notices: string[] = [];
Object.assign(globalThis, {
  loupeTestDialogs: {
    window: {
      showWarningMessage: (message: string, { detail }: { detail: string }, ...actions: string[]) => new Promise((answer) => dialogs.push({ message, detail, actions, answer })),
      showInformationMessage: (message: string) => {
        notices.push(message);
        return Promise.resolve(undefined);
      },
    },
  },
});

const moduleOf = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;
const standIn = moduleOf('export const { window } = globalThis.loupeTestDialogs;');
register(moduleOf(`
  export const resolve = (name, context, next) => (name === 'vscode' && /extension.window/.test(context.parentURL) ? { url: ${JSON.stringify(standIn)}, shortCircuit: true } : next(name, context));
`));

const { Dialogs } = await import('../../../src/extension/window/dialogs.js');
const { ClientApprovals } = await import('../../../src/extension/window/clientApprovals.js');

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
const { signal } = new AbortController();
const command = (text: string, warning?: string): { id: string; kind: 'command'; command: string; cwd: string; warning?: string } =>
  ({ id: '1', kind: 'command', command: text, cwd: '/w/app', ...(warning === undefined ? {} : { warning }) });
const noEdits = { request: () => Promise.reject(new Error('not an edit')) };

suite('MCP: what the user is asked on behalf of another program', () => {
  setup(() => {
    dialogs.length = 0;
    notices.length = 0;
  });

  test('a command is shown whole, with who asks and where; only the button is a yes', async () => {
    const approvals = new ClientApprovals('Some\nAssistant', noEdits, new Dialogs());
    for (const [pressed, decision] of [['Run', 'accepted'], [undefined, 'rejected'], ['Do Not Run', 'rejected']] as const) {
      const asked = approvals.request(command('npm test\u200b', 'It holds hidden characters.'), signal);
      await later();
      const shown = dialogs.at(-1)!;
      assert.deepEqual([shown.message, shown.detail], ['Some Assistant asks to run a command in /w/app', 'npm test\\u{200b}\n\nIt holds hidden characters.']);
      assert.equal(shown.actions[0], 'Do Not Run', 'what Enter presses');
      shown.answer(pressed);
      assert.equal(await asked, decision);
    }
  });

  test('what is too long to be read is not asked', async () => {
    const approvals = new ClientApprovals('x', noEdits, new Dialogs());
    await assert.rejects(approvals.request(command(`ls${' '.repeat(1_500)};rm -rf .`), signal), { name: 'LoupeFailure' });
    await assert.rejects(async () => approvals.requestTask('build', 'x\n'.repeat(40), signal), { name: 'LoupeFailure' });
    assert.equal(dialogs.length, 0);
  });

  test('one dialog after the other, whoever asks, and not without end', async () => {
    const line = new Dialogs();
    const [one, two] = [new ClientApprovals('one', noEdits, line), new ClientApprovals('two', noEdits, line)];
    const asked = [one.request(command('a'), signal), two.request(command('b'), signal), two.requestTask('build', 'make', signal)];
    await assert.rejects(one.request(command('c'), signal), { name: 'LoupeFailure' });
    const decisions: string[] = [];
    for (const [index, action] of ['Run', undefined, 'Run'].entries()) {
      await later();
      assert.equal(dialogs.length, index + 1);
      dialogs[index]?.answer(action);
      decisions.push(await asked[index]!);
    }
    assert.deepEqual(decisions, ['accepted', 'rejected', 'accepted']);
    assert.deepEqual(dialogs.map(({ message }) => message.split(' ')[0]), ['one', 'two', 'two']);
  });

  test('a yes to somebody who is gone is none, and does not hold up who comes after', async () => {
    const line = new Dialogs();
    const approvals = new ClientApprovals('x', noEdits, line);
    const gone = new AbortController();
    const first = approvals.request(command('a'), gone.signal);
    const waiting = new AbortController();
    const second = approvals.request(command('b'), waiting.signal);
    const third = approvals.request(command('c'), signal);
    await later();
    gone.abort();
    waiting.abort();
    dialogs[0]?.answer('Run');
    await assert.rejects(first, { name: 'AbortError' });
    await assert.rejects(second, { name: 'AbortError' });
    await later();
    assert.deepEqual(dialogs.map(({ detail }) => detail), ['a', 'c']);
    dialogs[1]?.answer('Run');
    assert.equal(await third, 'accepted');
  });

  test('an edit waits where the agent\'s do, and it is said whose it is', async () => {
    const edit = { path: 'a.ts', kind: 'create', before: '', after: 'x', beforeHash: '' } as const;
    const approvals = new ClientApprovals('Some Assistant', { request: ({ id }) => Promise.resolve(id === 'e' ? 'accepted' : 'rejected') }, new Dialogs());
    assert.equal(await approvals.request({ id: 'e', kind: 'edit', edit }, signal), 'accepted');
    assert.deepEqual([dialogs.length, notices], [0, ['Some Assistant proposes an edit of a.ts. Apply or reject it in the diff.']]);
  });
});
