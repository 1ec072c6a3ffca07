import { strict as assert } from 'node:assert';
import type { ChatModelEvent, ChatRequest } from '../../../src/model/chatModel.js';
import { EndpointChatModel } from '../../../src/model/endpoint/endpointChatModel.js';
import type { ToolDefinition } from '../../../src/protocol/chat.js';
import { type Answer, type ScriptedServer, callDelta, delta, done, events, finish, json, scriptedServer } from '../../support/model/scriptedServer.js';

const readFile: ToolDefinition = {
  name: 'read_file', description: 'Reads a file.',
  parameters: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
};
const request = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  conversation: 'c', messages: [{ role: 'user', content: 'Hello' }], tools: [], toolChoice: 'auto', maxTokens: 100, ...more,
});
const withTools = request({ tools: [readFile] });

suite('Endpoint chat', () => {
  let server: ScriptedServer | undefined;
  teardown(() => server?.close());

  async function model(answer: Answer, more: { apiKey?: string; flavour?: 'llama.cpp' | 'openai' } = {}): Promise<EndpointChatModel> {
    server = await scriptedServer(answer);
    return new EndpointChatModel({ base: new URL(`${server.origin}/v1`), model: 'm', contextSize: 4096, flavour: 'openai', ...more });
  }
  async function run(answer: Answer, asked = request(), more: Parameters<typeof model>[1] = {}): Promise<ChatModelEvent[]> {
    return collect(await model(answer, more), asked);
  }
  async function collect(chat: EndpointChatModel, asked: ChatRequest, signal = new AbortController().signal): Promise<ChatModelEvent[]> {
    const seen: ChatModelEvent[] = [];
    for await (const event of chat.chat(asked, signal)) seen.push(event);
    assert.equal(seen.filter((e) => e.type === 'finished' || e.type === 'failed').length, 1);
    assert.ok(seen.at(-1)?.type === 'finished' || seen.at(-1)?.type === 'failed');
    return seen;
  }
  const textOf = (list: readonly ChatModelEvent[]): string => list.map((e) => (e.type === 'text' ? e.text : '')).join('');
  const failureOf = (list: readonly ChatModelEvent[]): { code: string; message: string; next: string } => {
    const last = list.at(-1);
    assert.ok(last?.type === 'failed', JSON.stringify(list));
    assert.ok(last.error.next.length > 10);
    return last.error;
  };

  test('streams text and takes the usage of OpenAI', async () => {
    const list = await run((_, response) => events(response, [
      delta('Hel'), ': a comment\n\n', delta('lo'), finish('stop'),
      { choices: [], usage: { prompt_tokens: 20, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 16 } } }, done,
    ]));
    assert.deepEqual(list.filter((e) => e.type === 'text').map((e) => e.text), ['Hel', 'lo']);
    const last = list.at(-1);
    assert.ok(last?.type === 'finished');
    assert.deepEqual([last.stats.tokensIn, last.stats.tokensCached, last.stats.tokensOut, last.stats.finish], [20, 16, 2, 'stop']);
  });

  test('takes the timings of llama.cpp before all, and reports prompt progress', async () => {
    const list = await run((_, response) => events(response, [
      { choices: [{ index: 0, delta: { role: 'assistant', content: null } }], prompt_progress: { total: 100, cache: 80, processed: 90, time_ms: 5 } },
      delta('Hi'), finish('length'),
      { choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 }, timings: { cache_n: 80, prompt_n: 20, prompt_ms: 40.5, predicted_n: 7, predicted_ms: 12.5 } }, done,
    ]), request(), { flavour: 'llama.cpp' });
    assert.deepEqual(list[0], { type: 'progress', phase: 'prefill', done: 90, total: 100 });
    const last = list.at(-1);
    assert.ok(last?.type === 'finished');
    const { tokensIn, tokensCached, tokensOut, prefillMs, decodeMs, finish: reason } = last.stats;
    assert.deepEqual({ tokensIn, tokensCached, tokensOut, prefillMs, decodeMs, reason }, { tokensIn: 100, tokensCached: 80, tokensOut: 7, prefillMs: 40.5, decodeMs: 12.5, reason: 'length' });
  });

  test('merges tool calls from their pieces, two at once', async () => {
    const list = await run((_, response) => events(response, [
      callDelta({ index: 0, id: 'a', type: 'function', function: { name: 'read_file', arguments: '' } }),
      callDelta({ index: 0, function: { arguments: '{"pa' } }, { index: 1, id: 'b', function: { name: 'read_file', arguments: '{"path":' } }),
      callDelta({ index: 1, function: { arguments: '"two"}' } }), callDelta({ index: 0, function: { name: 'read_file', arguments: 'th":"one"}' } }),
      finish('tool_calls'), done,
    ]), withTools);
    assert.deepEqual(list.filter((e) => e.type === 'toolCall').map((e) => e.call), [
      { id: 'a', name: 'read_file', arguments: { path: 'one' } }, { id: 'b', name: 'read_file', arguments: { path: 'two' } },
    ]);
  });

  test('understands servers without indices, with objects for arguments, with one id for all', async () => {
    const whole = (path: string): unknown => callDelta({ id: 'same', function: { name: 'read_file', arguments: { path } } });
    const list = await run((_, response) => events(response, [
      callDelta({ id: 'x', function: { name: 'read_file', arguments: { path: 'one' } } }),
      callDelta({ id: '', function: { name: 'read_file', arguments: '{"path":' } }), callDelta({ function: { arguments: '"two"}' } }), finish('stop'), done,
    ]), withTools);
    const calls = list.filter((e) => e.type === 'toolCall').map((e) => e.call);
    assert.deepEqual(calls.map((c) => c.arguments['path']), ['one', 'two']);
    assert.equal(new Set(calls.map((c) => c.id)).size, 2);
    await server?.close();
    const single = await run((_, response) => events(response, [whole('only'), finish('tool_calls'), done]), withTools);
    assert.equal(single.filter((e) => e.type === 'toolCall').length, 1);
  });

  test('a call that does not fit is malformed, not guessed', async () => {
    const one = (name: string, args: string): Answer => (_, response) => events(response, [callDelta({ index: 0, id: 'a', function: { name, arguments: args } }), finish('tool_calls'), done]);
    for (const [name, args, problem] of [['read_file', '{"path"', /not JSON/], ['read_file', '{}', /path is missing/], ['rm', '{}', /no tool "rm"/], ['read_file', '[]', /object/]] as const) {
      const list = await run(one(name, args), withTools);
      const bad = list.find((e) => e.type === 'malformedCall');
      assert.match(bad?.problem ?? '', problem);
      assert.equal(list.at(-1)?.type, 'finished');
      await server?.close();
    }
  });

  test('a call printed as text is a call, and is not shown', async () => {
    const list = await run((_, response) => events(response, [delta('{"na'), delta('me": "read_file", "argu'), delta('ments": {"path": "a.ts"}}'), finish('stop'), done]), withTools);
    assert.equal(textOf(list), '');
    const call = list.find((e) => e.type === 'toolCall');
    assert.deepEqual([call?.call.name, call?.call.arguments], ['read_file', { path: 'a.ts' }]);
  });

  test('text that only begins like a call is shown whole; without tools nothing is held back', async () => {
    const answer: Answer = (_, response) => events(response, [delta('{"name'), delta('": 1} is JSON.'), finish('stop'), done]);
    assert.equal(textOf(await run(answer, withTools)), '{"name": 1} is JSON.');
    await server?.close();
    assert.equal((await run(answer, request({ tools: [readFile], toolChoice: 'none' }))).filter((e) => e.type === 'text').length, 2);
  });

  test('sends messages, tools and limits in the form of the protocol, byte for byte the same each time', async () => {
    const chat = await model((_, response) => events(response, [delta('x'), finish('stop'), done]), { apiKey: 'secret' });
    const asked = request({
      tools: [readFile], toolChoice: 'none', temperature: 0,
      messages: [
        { role: 'system', content: 's' }, { role: 'user', content: 'u' },
        { role: 'assistant', content: '', toolCalls: [{ id: 'a', name: 'read_file', arguments: { path: 'p' } }] }, { role: 'tool', callId: 'a', name: 'read_file', content: 'text' },
      ],
    });
    await collect(chat, asked);
    await collect(chat, asked);
    const [first, second] = server?.requests ?? [];
    assert.equal(first?.body, second?.body);
    assert.equal(first?.headers.authorization, 'Bearer secret');
    const body = JSON.parse(first?.body ?? '') as Record<string, unknown>;
    assert.deepEqual(body['messages'], [
      { role: 'system', content: 's' }, { role: 'user', content: 'u' },
      { role: 'assistant', content: '', tool_calls: [{ id: 'a', type: 'function', function: { name: 'read_file', arguments: '{"path":"p"}' } }] },
      { role: 'tool', tool_call_id: 'a', name: 'read_file', content: 'text' },
    ]);
    assert.equal(body['tool_choice'], 'none');
    assert.equal('cache_prompt' in body, false, 'strict endpoints refuse unknown fields');
  });

  test('a server that ignores `stream` is understood', async () => {
    const list = await run((_, response) => json(response, { choices: [{ message: { role: 'assistant', content: 'Hi', tool_calls: [{ id: 'a', function: { name: 'read_file', arguments: '{"path":"p"}' } }] }, finish_reason: 'stop' }], usage: { prompt_tokens: 3, completion_tokens: 4 } }), withTools);
    assert.equal(textOf(list), 'Hi');
    assert.equal(list.some((e) => e.type === 'toolCall'), true);
  });

  test('characters cut between packets arrive whole', async () => {
    const bytes = Buffer.from(`data: ${JSON.stringify(delta('Größe 🙂'))}\r\n\r\ndata: ${JSON.stringify(finish('stop'))}\r\n\r\ndata: [DONE]\r\n\r\n`);
    const list = await run(async (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (let i = 0; i < bytes.length; i += 3) {
        response.write(bytes.subarray(i, i + 3));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    assert.equal(textOf(list), 'Größe 🙂');
  });

  test('cancelled in mid-answer: what came is kept, the connection is closed', async () => {
    let closed = false;
    const chat = await model((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify(delta('one'))}\n\n`);
      response.on('close', () => (closed = true));
    });
    const controller = new AbortController();
    const list: ChatModelEvent[] = [];
    for await (const event of chat.chat(request(), controller.signal)) {
      list.push(event);
      controller.abort();
    }
    assert.equal(textOf(list), 'one');
    const last = list.at(-1);
    assert.equal(last?.type === 'finished' && last.stats.finish, 'cancelled');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(closed, true);
  });

  test('nonsense is told from answers, each kind with a message and a next step', async () => {
    const cases: readonly (readonly [string, Answer, string, RegExp])[] = [
      ['web page', (_, r) => { r.writeHead(200, { 'content-type': 'text/html' }); r.end('<!doctype html><p>Welcome'); }, 'endpoint.badResponse', /web page/],
      ['no JSON', (_, r) => { r.writeHead(200, { 'content-type': 'application/json' }); r.end('hello'); }, 'endpoint.badResponse', /not JSON/],
      ['no choices', (_, r) => json(r, { hello: 1 }), 'endpoint.badResponse', /no choices/],
      ['choices of the wrong type', (_, r) => json(r, { choices: 7 }), 'endpoint.badResponse', /no choices/],
      ['bad JSON in the stream', (_, r) => events(r, [delta('a'), 'data: {"cho\n\n', done]), 'endpoint.badResponse', /not JSON/],
      ['empty stream', (_, r) => events(r, []), 'endpoint.badResponse', /empty/],
      ['only [DONE]', (_, r) => events(r, [done]), 'endpoint.badResponse', /no choices/],
      ['cut stream', (_, r) => events(r, [delta('a')]), 'endpoint.badResponse', /broke off/],
      ['line without end', (_, r) => { r.writeHead(200, { 'content-type': 'text/event-stream' }); r.end(`data: ${'x'.repeat(3_000_000)}`); }, 'endpoint.badResponse', /too long/],
      ['error in the stream', (_, r) => events(r, [delta('a'), { error: { message: 'the GPU is gone' } }]), 'endpoint.httpError', /the GPU is gone/],
      ['connection lost', (_, r) => { r.writeHead(200, { 'content-type': 'text/event-stream' }); r.write(`data: ${JSON.stringify(delta('a'))}\n\n`); setTimeout(() => r.destroy(), 20); }, 'endpoint.unreachable', /mid-answer/],
      ['wrong key', (_, r) => json(r, { error: { message: 'Invalid API Key' } }, 401), 'endpoint.unauthorized', /wants an API key/],
      ['forbidden', (_, r) => json(r, {}, 403), 'endpoint.unauthorized', /refuses/],
      ['not found', (_, r) => { r.writeHead(404); r.end('<html>'); }, 'endpoint.httpError', /404/],
      ['broken server', (_, r) => json(r, { error: { message: 'boom\u001b[31m' } }, 500), 'endpoint.httpError', /boom/],
      ['too long', (_, r) => json(r, { error: { code: 400, message: 'request (6030 tokens) exceeds the available context size (4096 tokens)', type: 'exceed_context_size_error', n_ctx: 4096 } }, 400), 'context.overflow', /4,096 tokens/],
      ['too many calls', (_, r) => events(r, Array.from({ length: 100 }, (_x, i) => callDelta({ index: i, function: { name: 'f' } }))), 'endpoint.badResponse', /too many tool calls/],
    ];
    for (const [name, answer, code, message] of cases) {
      const { code: got, message: said } = failureOf(await run(answer, withTools));
      assert.equal(got, code, name);
      assert.match(said, message, name);
      assert.equal(said.includes('\u001b'), false);
      await server?.close();
    }
  });

  test('nothing listens', async () => {
    const chat = await model(() => undefined);
    await server?.close();
    const { code, message } = failureOf(await collect(chat, request()));
    assert.equal(code, 'endpoint.unreachable');
    assert.match(message, /nothing listens/);
  });

  test('neither the key nor the prompt follows a redirect to another host', async () => {
    const canary = await scriptedServer((_, response) => events(response, [delta('stolen'), finish('stop'), done]));
    try {
      const list = await run((_, response) => { response.writeHead(307, { location: `${canary.origin}/v1/chat/completions` }); response.end(); }, request(), { apiKey: 'secret' });
      assert.match(failureOf(list).message, /redirects to 127\.0\.0\.1:\d+, which Loupe does not follow/);
      assert.equal(canary.requests.length, 0);
    } finally {
      await canary.close();
    }
  });

  test('a redirect on the same host is followed, a circle is not', async () => {
    const list = await run((seen, response) => {
      if (seen.path === '/moved') events(response, [delta('here'), finish('stop'), done]);
      else { response.writeHead(308, { location: '/moved' }); response.end(); }
    });
    assert.equal(textOf(list), 'here');
    await server?.close();
    const circle = await run((seen, response) => { response.writeHead(307, { location: seen.path }); response.end(); });
    assert.match(failureOf(circle).message, /circle/);
    assert.equal(server?.requests.length, 4);
  });

  test('tokens are counted by the server where it can, else estimated, and it is asked only once', async () => {
    const counting = await model((seen, response) => {
      if (seen.path === '/apply-template') json(response, { prompt: 'rendered' });
      else if (seen.path === '/tokenize' && seen.body.includes('rendered')) json(response, { tokens: [1, 2, 3] });
      else json(response, {}, 404);
    }, { flavour: 'llama.cpp' });
    const { signal } = new AbortController();
    assert.equal(await counting.countPromptTokens(withTools, signal), 3);
    await server?.close();
    const estimating = await model((_, response) => json(response, {}, 404), { flavour: 'llama.cpp' });
    assert.ok(await estimating.countPromptTokens(withTools, signal) > 50);
    await estimating.countPromptTokens(withTools, signal);
    assert.equal(server?.requests.length, 1);
  });
});
