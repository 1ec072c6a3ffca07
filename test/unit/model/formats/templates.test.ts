import assert from 'node:assert/strict';
import type { ChatMessage, ToolDefinition } from '../../../../src/protocol/chat.js';
import { chatFormats } from '../../../../src/model/formats/chatFormats.js';
import { agent, chat, hops, plainText, tools } from './conversations.js';
import { bundledTemplates, renderTemplate } from './templates.js';

/** Against the families' own templates, as they come with the engine, rendered by a Jinja implementation. */
suite('chat formats against the templates that come with the engine', function () {
  this.timeout(60_000);
  let templates: ReturnType<typeof bundledTemplates<'google-gemma-4-31B-it' | 'Qwen-Qwen2.5-7B-Instruct' | 'google-gemma-2-2b-it' | 'meta-llama-Llama-3.2-3B-Instruct'>>;
  suiteSetup(() => {
    templates = bundledTemplates(['google-gemma-4-31B-it', 'Qwen-Qwen2.5-7B-Instruct', 'google-gemma-2-2b-it', 'meta-llama-Llama-3.2-3B-Instruct']);
  });

  suite('Gemma 4', () => {
    const emptyThought = '<|channel>thought\n<channel|>';
    /** Without the empty thoughts of earlier turns, which the template takes out again. */
    const withoutEarlierThoughts = (prompt: string): string => {
      const last = prompt.endsWith(emptyThought) ? emptyThought : '';
      return prompt.slice(0, prompt.length - last.length).replaceAll(emptyThought, '') + last;
    };
    const check = (messages: readonly ChatMessage[], offered: readonly ToolDefinition[]): void =>
      assert.equal(withoutEarlierThoughts(plainText(chatFormats.gemma4.render(messages, offered))), renderTemplate(templates['google-gemma-4-31B-it'], messages, offered));

    test('chat without tools', () => check(chat, []));
    test('chat without a system prompt', () => check(chat.slice(1), []));
    test('tool declarations, calls and results, at every hop', () => {
      for (const { before } of hops(agent)) check(before, tools);
      check(agent, tools);
    });
    test('tools without a system prompt', () => check(agent.slice(1), tools));
    test('two calls in one reply', () => check([
      { role: 'user', content: 'Read both' },
      { role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'read_file', arguments: { path: 'a' } }, { id: '2', name: 'read_file', arguments: { path: 'b' } }] },
      { role: 'tool', callId: '1', name: 'read_file', content: '{"a": 1}' },
      { role: 'tool', callId: '2', name: 'read_file', content: 'b' },
    ], tools));
    test('nested and odd schemas', () => check([{ role: 'user', content: 'x' }], [
      {
        name: 'odd', description: 'Odd "one"',
        parameters: {
          type: 'object',
          properties: {
            zeta: { type: 'array', items: { type: 'object', description: 'pair', properties: { b: { type: 'number' }, a: { type: 'string', enum: ['x', 'y'] } }, required: ['a', 'b'] } },
            Alpha: { type: 'array', items: { type: 'string', enum: ['p', 'q'] } },
            none: { type: 'object', properties: {} },
            level: { type: 'string', enum: ['low', 'high'], nullable: true },
          },
        },
      },
      { name: 'bare', description: 'No arguments', parameters: { type: 'object', properties: {} } },
    ]));
    test('arguments of every type, in the order of the template', () => check([
      { role: 'user', content: 'x' },
      { role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'odd', arguments: { b: [1, 2.5, -3], A: { y: 'é', X: false }, c: '', list: [{ k: 'v' }], t: true } }] },
      { role: 'tool', callId: '1', name: 'odd', content: '' },
    ], tools));
  });

  test('Qwen2.5: chat without tools', () => {
    assert.equal(plainText(chatFormats.chatml.render(chat, [])), renderTemplate(templates['Qwen-Qwen2.5-7B-Instruct'], chat, []));
  });

  test('Gemma 2 and 3: chat, whose system prompt the user turn takes in', () => {
    const folded: ChatMessage[] = [{ role: 'user', content: 'You are Loupe.\n\nHello' }, ...chat.slice(2)];
    assert.equal(plainText(chatFormats.gemma3.render(chat, [])), renderTemplate(templates['google-gemma-2-2b-it'], folded, []));
  });

  test('Llama 3: chat, but for the dates', () => {
    const written = renderTemplate(templates['meta-llama-Llama-3.2-3B-Instruct'], chat, []).replace(/Cutting Knowledge Date: .*\nToday Date: .*\n\n/, '');
    assert.equal(plainText(chatFormats.llama3.render(chat, [])), written);
  });
});
