import assert from 'node:assert/strict';
import type { ReadCalls } from '../../../../src/model/toolCalls/callSyntax.js';
import { gemma4Calls } from '../../../../src/model/toolCalls/gemma4Calls.js';
import { mayBecomeTextCall, readTextCalls } from '../../../../src/model/toolCalls/textCalls.js';
import { toolLineCalls } from '../../../../src/model/toolCalls/toolLineCalls.js';
import { tools } from '../formats/conversations.js';

const summary = (read: ReadCalls | undefined): unknown =>
  read === undefined ? 'answer' : read.ok ? read.calls.map(({ name, arguments: args }) => [name, args]) : read.problem;

suite('reading a tool line', () => {
  const check = (written: string, expected: unknown): void => {
    test(JSON.stringify(written), () => assert.deepEqual(summary(toolLineCalls.read(written, tools)), expected));
  };
  check(' read_file\n{"path": "a.ts"}', [['read_file', { path: 'a.ts' }]]);
  check(' read_file', 'the arguments are missing: a JSON object must follow the line with the name of the tool');
  check(' read_file\n{"path": "a.ts"', 'the arguments are not valid JSON');
  check(' write_file\n{}', 'there is no tool "write_file"; the tools are read_file, search_text');
  check(' read_file\n{"path": 3}', 'read_file: arguments.path must be string, not number');
  check(' read_file\n{}', 'read_file: arguments.path is missing');
  check(' read_file\n[]', 'read_file: arguments must be object, not array');
  check(' read_file\n{"path": "a", "mode": "r"}', 'read_file: arguments.mode is not known; known are path, lines');
  check(' read_file\n{"path": "a", "lines": {"from": 1.5}}', 'read_file: arguments.lines.from must be integer, not number');
  check(' search_text\n{"pattern": "a", "kind": "fuzzy"}', 'search_text: arguments.kind must be one of "plain", "regex"');
  check(' search_text\n{"pattern": "a", "globs": ["x", 1]}', 'search_text: arguments.globs[1] must be string, not number');
});

suite('reading Gemma 4 calls', () => {
  const check = (written: string, expected: unknown): void => {
    test(JSON.stringify(written), () => assert.deepEqual(summary(gemma4Calls.read(written, tools)), expected));
  };
  check('call:read_file{path:<|"|>a, "b"} c.ts<|"|>}<tool_call|>', [['read_file', { path: 'a, "b"} c.ts' }]]);
  check('call:read_file{lines:{from:1,to:2},path:<|"|>a<|"|>}<tool_call|>', [['read_file', { lines: { from: 1, to: 2 }, path: 'a' }]]);
  check('call:search_text{caseSensitive:true,globs:[<|"|>a<|"|>,<|"|>b<|"|>],pattern:<|"|><|"|>}<tool_call|>', [['search_text', { caseSensitive: true, globs: ['a', 'b'], pattern: '' }]]);
  check('call:read_file{path:<|"|>a<|"|>}<tool_call|><|tool_call>call:read_file{path:<|"|>b<|"|>}<tool_call|>', [['read_file', { path: 'a' }], ['read_file', { path: 'b' }]]);
  const unreadable = (position: number): string => `the call cannot be read at character ${position}; it must be call:NAME{key:value}<tool_call|>`;
  check('call:read_file{path:<|"|>a<|"|>}', unreadable(32));
  check('call:read_file{path:a.ts}<tool_call|>', unreadable(20));
  check('call:read_file{path:<|"|>a<|"|>}<tool_call|> and more', unreadable(44));
  check('{"name": "read_file"}', unreadable(0));
  check('call:rm{}<tool_call|>', 'there is no tool "rm"; the tools are read_file, search_text');
});

suite('reading calls out of the text of an answer', () => {
  const check = (reply: string, expected: unknown): void => {
    test(JSON.stringify(reply), () => assert.deepEqual(summary(readTextCalls(reply, tools)), expected));
  };
  const call = '{"name": "read_file", "arguments": {"path": "a.ts"}}';
  const read = ['read_file', { path: 'a.ts' }];
  check(call, [read]);
  check(`\n${call}\n`, [read]);
  check(`<tool_call>\n${call}\n</tool_call>`, [read]);
  check(`<tool_call>\n${call}\n</tool_call>\n<tool_call>${call}</tool_call>`, [read, read]);
  check(`<tool_call>\n${call}`, [read]);
  check('```json\n' + call + '\n```', [read]);
  // never a guess
  check('', 'answer');
  check(`I will call ${call}`, 'answer');
  check('```json\n' + call + '\n```\nThis reads the file.', 'answer');
  check('{"name": "loupe", "arguments": {}}', 'answer');
  check('{"name": "read_file", "arguments": {"path": "a.ts"}, "why": "x"}', 'answer');
  check('{"path": "a.ts"}', 'answer');
  check('```json\n{"port": 8080}\n```', 'answer');
  check('{"name": "read_file", "arguments": {"path": "a.ts"', 'answer');
  // meant, and wrong
  check('<tool_call>read_file(a.ts)</tool_call>', 'the call is not a JSON object with "name" and "arguments"');
  check('{"name": "read_file", "arguments": {"file": "a.ts"}}', 'read_file: arguments.path is missing');
});

suite('text that may still become a call', () => {
  const check = (begun: string, expected: boolean): void => {
    test(`${JSON.stringify(begun)}: ${expected}`, () => assert.equal(mayBecomeTextCall(begun), expected));
  };
  check('', true);
  check('<tool', true);
  check('```', true);
  check('```json\n{"na', true);
  check('{"name": "read_file", "argu', true);
  check('{ "name"', true);
  check('Hello', false);
  check('```ts\nconst', false);
  check('```json\n{"port"', false);
  check('{"port"', false);
});
