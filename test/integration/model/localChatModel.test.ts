import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../src/base/clock.js';
import { silentLogger } from '../../../src/base/logger.js';
import type { ChatModelEvent, ChatRequest } from '../../../src/model/chatModel.js';
import { LocalChatModel } from '../../../src/model/localChatModel.js';
import { modelsDirectory } from '../../../src/model/paths.js';
import { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import { gemma4Calls } from '../../../src/model/toolCalls/gemma4Calls.js';
import { toolLineCalls } from '../../../src/model/toolCalls/toolLineCalls.js';
import type { ChatMessage, GenerationStats, ToolCall, ToolDefinition } from '../../../src/protocol/chat.js';

const tools: readonly ToolDefinition[] = [
  { name: 'list_files', description: 'Lists the files of the repository.', parameters: { type: 'object', properties: { glob: { type: 'string' } } }, safety: 'reads' },
  { name: 'read_file', description: 'Reads a file of the repository.', parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] }, safety: 'reads' },
  { name: 'find_symbol', description: 'Finds where a function, class, type or variable is defined.', parameters: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] }, safety: 'reads' },
];

interface Reply { readonly text: string; readonly calls: readonly ToolCall[]; readonly stats: GenerationStats }

/** A real model in a real sidecar. */
suite('LocalChatModel with Qwen2.5-Coder 1.5B', function () {
  this.timeout(300_000);
  let stateDir: string;
  let supervisor: SidecarSupervisor;
  let model: LocalChatModel;

  suiteSetup(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'loupe-chat-'));
    supervisor = new SidecarSupervisor({
      entry: join(import.meta.dirname, '../../../src/sidecar/main.js'), execPath: process.execPath, stateDir, client: 'test', build: 'test', logger: silentLogger, clock: systemClock,
    });
    const loaded = await supervisor.load({
      role: 'chat', modelPath: join(modelsDirectory(), 'qwen2.5-coder-1.5b-instruct-q4_k_m.gguf'), contextSize: 4096, kvPreset: 'exact', threads: 'auto', gpu: 'off',
    });
    assert.ok(loaded.ok, loaded.ok ? '' : `${loaded.error.message} ${loaded.error.next}`);
    model = new LocalChatModel(supervisor, loaded.value);
  });

  suiteTeardown(async () => {
    supervisor.dispose();
    await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
  });

  async function ask(messages: readonly ChatMessage[], more: Partial<ChatRequest> = {}): Promise<Reply> {
    const events: ChatModelEvent[] = [];
    const request: ChatRequest = { conversation: 'c', messages: [{ role: 'system', content: 'You are Loupe, a coding assistant.' }, ...messages], tools, toolChoice: 'auto', maxTokens: 60, ...more };
    for await (const event of model.chat(request, new AbortController().signal)) events.push(event);
    const last = events.at(-1);
    assert.ok(last?.type === 'finished', JSON.stringify(last));
    assert.deepEqual(events.filter(({ type }) => type === 'malformedCall'), []);
    return {
      text: events.map((event) => (event.type === 'text' ? event.text : '')).join(''),
      calls: events.flatMap((event) => (event.type === 'toolCall' ? [event.call] : [])),
      stats: last.stats,
    };
  }

  const question: ChatMessage = { role: 'user', content: 'Which file defines parsePort?' };

  test('a greeting is answered', async () => {
    const { text, calls } = await ask([{ role: 'user', content: 'hello' }], { maxTokens: 20 });
    assert.deepEqual(calls, []);
    assert.match(text, /hello|hi|help/i);
  });

  test('a question about the repository calls a tool, the result is answered, and the prefix is reused', async () => {
    const first = await ask([question]);
    assert.deepEqual(first.calls.map(({ name, arguments: args }) => [name, args]), [['find_symbol', { name: 'parsePort' }]]);
    assert.equal(first.text, '');

    const after: ChatMessage[] = [
      question, { role: 'assistant', content: '', toolCalls: [...first.calls] },
      { role: 'tool', callId: first.calls[0]?.id ?? '', name: 'find_symbol', content: 'src/config.ts:12: export function parsePort(text: string): number {' },
    ];
    const second = await ask(after);
    assert.deepEqual(second.calls, []);
    assert.match(second.text, /src\/config\.ts/);

    const prompt = await model.countPromptTokens({ messages: [{ role: 'system', content: 'You are Loupe, a coding assistant.' }, question], tools, toolChoice: 'auto' }, new AbortController().signal);
    assert.ok(second.stats.tokensCached >= 0.95 * (prompt + first.stats.tokensOut), `${second.stats.tokensCached} of ${prompt} + ${first.stats.tokensOut} tokens were reused`);
  });

  test('toolChoice none answers in text', async () => {
    const { text, calls } = await ask([question], { toolChoice: 'none', maxTokens: 20 });
    assert.deepEqual(calls, []);
    assert.notEqual(text.trim(), '');
  });

  test('the engine takes the grammars of every kind of schema', async () => {
    const everything: ToolDefinition = {
      name: 'every_kind', description: 'x',
      parameters: {
        type: 'object',
        properties: {
          text: { type: 'string', minLength: 1, maxLength: 20 }, choice: { type: 'string', enum: ['a "quoted"', 'b\\c'] }, whole: { type: 'integer', minimum: 0 }, real: { type: 'number' }, yes: { type: 'boolean' },
          list: { type: 'array', items: { type: ['string', 'null'] }, maxItems: 3 }, pair: { type: 'array', items: { type: 'integer' }, minItems: 2, maxItems: 2 },
          nested: { type: 'object', properties: { x: { type: 'number' }, any: {} }, required: ['x'] }, open: { type: 'object' }, either: { anyOf: [{ type: 'integer' }, { type: 'string' }] },
        },
        required: ['choice', 'nested'],
      },
    };
    for (const syntax of [toolLineCalls, gemma4Calls]) {
      const result = await supervisor.generate(
        { id: crypto.randomUUID(), role: 'chat', conversation: 'g', prompt: [{ text: 'Call:', control: true }], maxTokens: 60, stop: [], grammar: syntax.grammar([everything]), sampling: { temperature: 0 } },
        {}, new AbortController().signal,
      );
      assert.ok(result.ok, result.ok ? '' : `${result.error.message} ${result.error.cause ?? ''}`);
      if (result.value.stats.finish === 'stop') assert.deepEqual(syntax.read(result.value.text, [everything]).ok, true, result.value.text);
      else assert.match(result.value.text, syntax === toolLineCalls ? /^ every_kind\n\{/ : /^call:every_kind\{/);
    }
  });
});
