import { strict as assert } from 'node:assert';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ChatModelEvent, ChatRequest } from '../../../src/model/chatModel.js';
import { connectEndpoint, listModels } from '../../../src/model/endpoint/connectEndpoint.js';
import type { EndpointChatModel } from '../../../src/model/endpoint/endpointChatModel.js';
import { estimatePromptTokens } from '../../../src/model/endpoint/tokenEstimate.js';
import { modelsDirectory } from '../../../src/model/paths.js';
import type { ToolDefinition } from '../../../src/protocol/chat.js';
import { type LlamaServer, llamaServerBinary, startLlamaServer } from '../../support/model/llamaServer.js';

const apiKey = 'test-key';
const contextSize = 4096;
const weather: ToolDefinition = {
  name: 'get_weather', description: 'Gets the weather of a city.',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};

/** Real: llama.cpp's own server with Qwen2.5-Coder 0.5B. */
suite('Endpoint: a real llama.cpp server', function () {
  this.timeout(180_000);
  let server: LlamaServer;
  let model: EndpointChatModel;
  const { signal } = new AbortController();

  suiteSetup(async function () {
    this.timeout(45 * 60_000);
    const binary = await llamaServerBinary();
    server = await startLlamaServer({ binary, model: path.join(modelsDirectory(), 'qwen2.5-coder-0.5b-instruct-q4_k_m.gguf'), contextSize, apiKey });
    const connection = await connectEndpoint({ url: server.origin, model: '', apiKey }, signal);
    assert.ok(connection.ok, JSON.stringify(connection));
    model = connection.value.model;
  });
  suiteTeardown(() => server.stop());

  const request = (more: Partial<ChatRequest>): ChatRequest => ({ conversation: 'c', messages: [], tools: [], toolChoice: 'auto', maxTokens: 32, temperature: 0, ...more });
  const run = async (asked: ChatRequest): Promise<ChatModelEvent[]> => {
    const list: ChatModelEvent[] = [];
    for await (const event of model.chat(asked, signal)) list.push(event);
    return list;
  };
  const textOf = (list: readonly ChatModelEvent[]): string => list.map((e) => (e.type === 'text' ? e.text : '')).join('');
  const statsOf = (list: readonly ChatModelEvent[]): NonNullable<Extract<ChatModelEvent, { type: 'finished' }>['stats']> => {
    const last = list.at(-1);
    assert.ok(last?.type === 'finished', JSON.stringify(last));
    return last.stats;
  };

  test('finds the model and the context that one request has', () => {
    assert.deepEqual(model.info, { name: 'qwen2.5-coder-0.5b-instruct-q4_k_m', kind: 'endpoint', contextSize });
  });

  test('a missing and a wrong key are told as that', async () => {
    for (const key of [undefined, 'wrong']) {
      const connection = await connectEndpoint({ url: server.origin, model: '', ...(key ? { apiKey: key } : {}) }, signal);
      // llama.cpp lists its models to everyone; what it protects is the work
      const list = connection.ok ? await collectWith(connection.value.model) : undefined;
      const error = connection.ok ? list?.at(-1) : undefined;
      const code = connection.ok ? (error?.type === 'failed' ? error.error.code : 'none') : connection.error.code;
      assert.equal(code, 'endpoint.unauthorized');
    }
    async function collectWith(other: EndpointChatModel): Promise<ChatModelEvent[]> {
      const list: ChatModelEvent[] = [];
      for await (const event of other.chat(request({ messages: [{ role: 'user', content: 'Hi' }] }), signal)) list.push(event);
      return list;
    }
  });

  test('streams an answer; counts tokens exactly; the second turn reuses the prefix of the first', async () => {
    const first: ChatRequest = request({ messages: [
      { role: 'system', content: `You answer in one short sentence. ${'Be precise and kind. '.repeat(20)}` }, { role: 'user', content: 'What does the Python function len do?' },
    ] });
    const list = await run(first);
    const stats = statsOf(list);
    assert.ok(list.filter((e) => e.type === 'text').length >= 3, 'arrives in pieces');
    assert.match(textOf(list), /length|number/i);
    assert.equal(stats.tokensIn, await model.countPromptTokens(first, signal));
    assert.ok(stats.tokensOut > 3 && stats.prefillMs > 0 && stats.decodeMs > 0);

    const second = statsOf(await run(request({ messages: [...first.messages, { role: 'assistant', content: textOf(list) }, { role: 'user', content: 'And sum?' }] })));
    assert.ok(second.tokensCached >= 0.95 * stats.tokensIn, `${second.tokensCached} of ${stats.tokensIn} tokens reused`);
  });

  test('calls a tool, although the server passes the call on as text', async () => {
    const list = await run(request({ messages: [{ role: 'user', content: 'What is the weather in Paris? Use the tool.' }], tools: [weather], maxTokens: 80 }));
    const call = list.find((e) => e.type === 'toolCall')?.call;
    assert.deepEqual([call?.name, call?.arguments], ['get_weather', { city: 'Paris' }]);
    assert.equal(textOf(list), '', 'the call is not shown as an answer');
  });

  test('cancelled in mid-answer: what came is kept, and the server is free at once', async () => {
    const controller = new AbortController();
    const list: ChatModelEvent[] = [];
    let abortedAt = 0;
    const asked = request({ messages: [{ role: 'user', content: 'Count from 1 to 500.' }], maxTokens: 1000 });
    for await (const event of model.chat(asked, controller.signal)) {
      list.push(event);
      if (list.filter((e) => e.type === 'text').length === 3 && abortedAt === 0) {
        abortedAt = performance.now();
        controller.abort();
      }
    }
    assert.ok(performance.now() - abortedAt < 100, 'ends within 100 ms');
    assert.equal(statsOf(list).finish, 'cancelled');
    assert.ok(textOf(list).length > 0);
    const next = statsOf(await run(request({ messages: [{ role: 'user', content: 'Say hi.' }], maxTokens: 4 })));
    assert.ok(next.queueMs < 5000, `waited ${Math.round(next.queueMs)} ms for the cancelled answer`);
  });

  test('a token limit is told from an end', async () => {
    assert.equal(statsOf(await run(request({ messages: [{ role: 'user', content: 'Count from 1 to 100.' }], maxTokens: 5 }))).finish, 'length');
  });

  test('a prompt longer than the context is a clear error that names the context', async () => {
    const last = (await run(request({ messages: [{ role: 'user', content: 'word '.repeat(6000) }] }))).at(-1);
    assert.ok(last?.type === 'failed');
    assert.equal(last.error.code, 'context.overflow');
    assert.equal(last.error.data?.['contextSize'], contextSize);
  });

  test('the estimate for endpoints that cannot count is never below the true count', async () => {
    const texts = await Promise.all(['src/model/gguf.ts', 'package.json', 'ARCHITECTURE.md', 'tsconfig.base.json', 'scripts/lib/llamaServer.mjs'].map((file) => readFile(file, 'utf8')));
    texts.push('模型在本地运行，不需要网络。请解释这个函数的作用。'.repeat(20), 'Größe, naïve café, Ölförderung; ça va? '.repeat(20), '🙂 привет мир '.repeat(20), '\t\tif (x === 0x1f) return -1;\n'.repeat(30), 'Hi');
    for (const text of texts) {
      const asked = { messages: [{ role: 'user' as const, content: text }], tools: [weather], toolChoice: 'auto' as const };
      const counted = await model.countPromptTokens(asked, signal);
      const estimated = estimatePromptTokens(asked);
      assert.ok(estimated >= counted, `estimated ${estimated}, counted ${counted}: ${text.slice(0, 30)}`);
      if (counted > 1000) assert.ok(estimated <= 2.5 * counted, `estimated ${estimated}, counted ${counted}: ${text.slice(0, 30)}`);
    }
  });

  test('killed in mid-answer: what came is kept, the loss is an error; afterwards nothing listens', async () => {
    const list: ChatModelEvent[] = [];
    for await (const event of model.chat(request({ messages: [{ role: 'user', content: 'Count from 1 to 500.' }], maxTokens: 1000 }), signal)) {
      list.push(event);
      if (event.type === 'text') await server.stop();
    }
    const last = list.at(-1);
    assert.ok(last?.type === 'failed');
    assert.equal(last.error.code, 'endpoint.unreachable');
    assert.ok(textOf(list).length > 0);
    const gone = await listModels({ url: server.origin, apiKey }, signal);
    assert.match(gone.ok ? '' : gone.error.message, /nothing listens/);
  });
});
