import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChatMessage, ToolDefinition } from '../../../../src/protocol/chat.js';
import { chatFormats } from '../../../../src/model/formats/chatFormats.js';
import { callSyntaxOf } from '../../../../src/model/toolCalls/callSyntax.js';
import { agent, bracketed, chat, hops, plainText, tools } from './conversations.js';

const goldenFolder = join(import.meta.dirname, '../../../../../test/unit/model/formats/golden');

/** The whole prompt, text in brackets; run with UPDATE_GOLDEN=1 to accept a change. */
function check(name: string, written: string): void {
  const path = join(goldenFolder, `${name}.txt`);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, written);
  assert.equal(written, readFileSync(path, 'utf8'));
}

/** The call at the start of a rendered rest of a prompt, as the model wrote it after the marker. */
function writtenCall(rest: string, marker: string): string {
  const call = rest.startsWith(marker) ? rest.slice(marker.length) : rest;
  const close = call.indexOf('<tool_call|>');
  return close < 0 ? (call.split(/(?<=\})(?=<|\[|\n\n)/)[0] ?? '') : call.slice(0, close + '<tool_call|>'.length);
}

for (const format of Object.values(chatFormats)) {
  suite(`chat format ${format.family}`, () => {
    test('chat without tools', () => check(`${format.family}-chat`, bracketed(format.render(chat, []))));
    test('agent with tools', () => check(`${format.family}-agent`, bracketed(format.render(agent, tools))));

    if (format.calls === 'toolLine') test('agent with tools that do no harm', () => {
      const safe = tools.map((tool) => ({ ...tool, safety: 'reads' as const }));
      check(`${format.family}-agent-safe-tools`, bracketed(format.render(agent, safe)));
    });

    test('append-only: every prompt begins with the prompts before it', () => {
      const checkAppendOnly = (messages: readonly ChatMessage[], offered: readonly ToolDefinition[]): void => {
        for (const { before } of hops(messages)) {
          const earlier = plainText(format.render(before, offered));
          const later = plainText(format.render(messages, offered));
          assert.equal(later.slice(0, earlier.length), earlier);
        }
      };
      checkAppendOnly(chat, []);
      checkAppendOnly(agent, tools);
    });

    test('what a tool returns is never control text', () => {
      const controls = format.render(agent, tools).filter(({ control }) => control).map(({ text }) => text).join('');
      assert.ok(!controls.includes('8080'));
    });

    test('append-only: what the model writes after its opening is what the next prompt holds there', () => {
      const syntax = callSyntaxOf(format);
      for (const { before, reply } of hops(agent)) {
        const opened = plainText(format.render(before, tools));
        const later = plainText(format.render(agent, tools)).slice(opened.length);
        if (reply.role !== 'assistant') continue;
        if (reply.toolCalls === undefined) assert.ok(later.startsWith(syntax.answerOpening + reply.content));
        else assert.deepEqual(syntax.read(writtenCall(later, syntax.marker), tools), { ok: true, calls: reply.toolCalls.map(({ name, arguments: args }) => ({ name, arguments: args })) });
      }
    });

    test('the same messages give the same prompt', () => {
      assert.deepEqual(format.render(structuredClone(agent) as ChatMessage[], structuredClone(tools)), format.render(agent, tools));
    });
  });
}
