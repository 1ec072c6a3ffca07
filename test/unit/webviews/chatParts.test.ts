import assert from 'node:assert/strict';
import { errorCodes } from '../../../src/base/errors.js';
import type { HostToChat } from '../../../src/protocol/views.js';
import { chatToHostSchema } from '../../../src/protocol/views.js';
import { describeCall, outcomeOf } from '../../../src/webviews/chat/model/describeCall.js';
import { attachmentLabel, attachmentsAfterEdit, completeMention, mentionAt, questionParts, suggestionsFor } from '../../../src/webviews/chat/model/mentions.js';
import { continuation, stepsForError } from '../../../src/webviews/chat/model/nextSteps.js';
import { ChatStore } from '../../../src/webviews/chat/model/store.js';
import { wholeWords } from '../../../src/webviews/chat/model/wholeWords.js';
import { formatAgo, formatBytes, formatDuration, formatMemory, formatShare, formatTokensShort } from '../../../src/webviews/shared/format.js';
import { runningTurn, state } from '../../support/webviews/recorded.js';

suite('webviews: tool lines', () => {
  const check = (name: string, args: Record<string, unknown>, summary: string, expected: string): void => {
    const call = { id: 'c', name, arguments: args };
    const { verb, object } = describeCall(call, false);
    assert.equal([`${verb} ${object}`.trim(), outcomeOf(call, summary)].filter((part) => part !== '').join(' · '), expected);
  };

  test('say what was done to what, and what came of it, once', () => {
    check('search_text', { pattern: 'finger' }, '6 matches for "finger" in 2 files', 'searched "finger" · 6 matches in 2 files');
    check('search_text', { pattern: 'a', glob: '*.ts' }, '6 matches for "a" in *.ts in 2 files', 'searched "a" in *.ts · 6 matches in 2 files');
    check('search_text', { pattern: 'x y' }, 'No match for "x y".', 'searched "x y" · no match');
    check('read_file', { path: 'src/a.ts', start_line: 12, end_line: 88 }, 'src/a.ts lines 12-88 of 140', 'read a.ts 12–88 · of 140 lines');
    check('read_file', { path: 'src/a.ts', start_line: 1, end_line: 2 }, 'src/a.ts lines 1-60 of 60', 'read a.ts 1–2 · lines 1-60 of 60');
    check('read_file', { path: 'src/a.ts' }, 'src/a.ts lines 1-140 of 140', 'read a.ts · lines 1-140 of 140');
    check('list_files', { under: 'src' }, '14 files under src', 'listed src · 14 files');
    check('find_symbol', { name: 'load' }, '2 definitions of load', 'looked for "load" · 2 definitions');
    check('propose_edit', { path: 'src/a.ts', old: 'x', new: 'y' }, 'src/a.ts: rejected by the user', 'edit a.ts · rejected by the user');
    check('run_command', { command: 'npm  test' }, 'npm test: exit code 0', 'command npm test · exit code 0');
    check('other_tool', { thing: 'value' }, 'did it', 'other_tool value · did it');
  });
});

suite('webviews: what is read while it is typed', () => {
  test('whole words only, without spaces around them', () => {
    const cases: Readonly<Record<string, string>> = {
      '': '', 'Whe': '', 'Where ': 'Where', ' Where is th': 'Where is', 'Where is  the\n': 'Where is  the', 'Where\n\nis': 'Where', '  ': '',
    };
    for (const [typed, read] of Object.entries(cases)) assert.equal(wholeWords(typed), read, JSON.stringify(typed));
  });

  test('of a long question its beginning', () => {
    const read = wholeWords('word '.repeat(50_000));
    assert.ok(read.length <= 20_000 && read.length > 19_990 && read.endsWith('word'));
    assert.equal(wholeWords('x'.repeat(50_000)), '');
  });
});

suite('webviews: mentions', () => {
  test('an @ word at the caret is one, an address or a decorator in code is none', () => {
    assert.deepEqual(mentionAt('see @src/a', 10), { start: 4, query: 'src/a' });
    assert.deepEqual(mentionAt('@', 1), { start: 0, query: '' });
    assert.equal(mentionAt('a@b', 3), undefined);
    assert.equal(mentionAt('@file done', 10), undefined);
  });

  test('the chosen name takes the place of the word', () => {
    assert.deepEqual(completeMention('see @src please', { start: 4, query: 'src' }, '@a.ts'), { text: 'see @a.ts please', caret: 10 });
    assert.deepEqual(completeMention('@a', { start: 0, query: 'a' }, '@a.ts'), { text: '@a.ts ', caret: 6 });
  });

  test('what is taken out of the text is no longer attached; what never was in it stays', () => {
    const named = { kind: 'file', path: 'src/a.ts' } as const;
    const other = { kind: 'file', path: 'src/b.ts' } as const;
    assert.deepEqual(attachmentsAfterEdit([named, other], 'see @a.ts', 'see @a.t'), [other]);
    const all = [named, other];
    assert.equal(attachmentsAfterEdit(all, 'see @a.ts', 'see @a.ts now'), all);
  });

  test('a question shows its attachments where it names them', () => {
    const a = { kind: 'file', path: 'src/a.ts' } as const;
    const b = { kind: 'problems', path: '' } as const;
    assert.deepEqual(questionParts('why does @a.ts fail?', [a, b]), ['why does ', a, ' fail?', b]);
    assert.deepEqual(questionParts('plain', []), ['plain']);
  });

  test('special names first, then files', () => {
    assert.deepEqual(suggestionsFor('', ['a.ts']).map(({ kind }) => kind), ['selection', 'problems', 'changes', 'file']);
    assert.deepEqual(suggestionsFor('pro', ['src/process.ts']), [{ kind: 'problems' }, { kind: 'file', path: 'src/process.ts' }]);
    assert.equal(attachmentLabel({ kind: 'selection', path: 'src/a.ts', startLine: 12, endLine: 20 }), '@a.ts:12–20');
    assert.equal(attachmentLabel({ kind: 'problems', path: '' }), '@problems');
  });
});

suite('webviews: next steps', () => {
  test('every error offers at least one, and each is a message of the protocol', () => {
    for (const code of errorCodes) {
      const steps = stepsForError(code, 't1');
      assert.ok(steps.length > 0, code);
      for (const { message } of steps) assert.equal(chatToHostSchema.safeParse(message).success, true, code);
    }
  });

  test('a turn is continued after a budget, not after an error', () => {
    assert.ok(continuation('steps'));
    assert.equal(continuation('error'), undefined);
    assert.equal(continuation('answered'), undefined);
  });
});

suite('webviews: drawing', () => {
  test('tokens are drawn once per frame, everything else at once', () => {
    let frame: (() => void) | undefined;
    let draws = 0;
    let requests = 0;
    const store = new ChatStore({ request: (callback) => { frame = callback; return ++requests; }, cancel: () => { frame = undefined; } });
    store.subscribe(() => { draws++; });
    for (const message of [state(), ...runningTurn('t', 'q', [])]) store.dispatch(message);
    const before = draws;
    const delta = (text: string): HostToChat => ({ type: 'event', turnId: 't', event: { type: 'textDelta', hop: 1, text } });
    for (let n = 0; n < 50; n++) store.dispatch(delta('x'));
    assert.deepEqual([draws, requests], [before, 1]);
    frame?.();
    assert.equal(draws, before + 1);
    store.dispatch(delta('y'));
    store.dispatch({ type: 'running', turnId: null });
    assert.equal(draws, before + 2);
    assert.equal(frame, undefined);
  });
});

suite('webviews: figures', () => {
  test('as people read them', () => {
    assert.deepEqual([0, 41, 620, 12_400, 125_000].map(formatDuration), ['0 ms', '41 ms', '0.62 s', '12.4 s', '2 min 5 s']);
    assert.deepEqual([38, 1900, 2_500_000].map(formatBytes), ['38 B', '1.9 kB', '2.5 MB']);
    assert.deepEqual([3 * 1024, 91 * 1024 ** 2, 1.5 * 1024 ** 3].map(formatMemory), ['3 KiB', '91 MiB', '1.50 GiB']);
    assert.deepEqual([812, 24_112, 131_072].map(formatTokensShort), ['812', '24.1k', '131k']);
    assert.deepEqual([formatShare(24_171, 24_172), formatShare(5, 5), formatShare(0, 0)], ['99.9 %', '100 %', '']);
    assert.deepEqual([formatAgo(0, 30_000), formatAgo(0, 7_200_000), formatAgo(0, 86_400_000)], ['just now', '2 h ago', '1 day ago']);
  });
});
