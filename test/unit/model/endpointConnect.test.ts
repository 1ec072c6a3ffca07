import { strict as assert } from 'node:assert';
import { connectEndpoint, listModels } from '../../../src/model/endpoint/connectEndpoint.js';
import { endpointBase, isPrivateHost } from '../../../src/model/endpoint/endpointUrl.js';
import { estimateTokens } from '../../../src/model/endpoint/tokenEstimate.js';
import { type Answer, type ScriptedServer, json, scriptedServer } from '../../support/model/scriptedServer.js';

const { signal } = new AbortController();

suite('Endpoint connection', () => {
  let server: ScriptedServer | undefined;
  teardown(() => server?.close());
  const start = async (paths: Readonly<Record<string, unknown>>): Promise<string> => {
    const answer: Answer = (seen, response) => {
      const body = paths[seen.path];
      if (body === undefined) json(response, { error: { message: 'no such path' } }, 404);
      else json(response, body);
    };
    server = await scriptedServer(answer);
    return `${server.origin}/v1`;
  };
  const connect = async (paths: Readonly<Record<string, unknown>>, more: { model?: string; contextSize?: number } = {}): Promise<{ name: string; size: number; reason: string }> => {
    const result = await connectEndpoint({ url: await start(paths), model: '', ...more }, signal);
    assert.ok(result.ok, JSON.stringify(result));
    return { name: result.value.model.info.name, size: result.value.model.info.contextSize, reason: result.value.contextReason };
  };

  test('llama.cpp: the first model, the context of one slot', async () => {
    const found = await connect({
      '/v1/models': { data: [{ id: '/models/qwen.gguf', owned_by: 'llamacpp', meta: { n_ctx: 16_384 } }] },
      '/props': { default_generation_settings: { n_ctx: 4096 } },
    });
    assert.deepEqual(found, { name: 'qwen', size: 4096, reason: 'As the endpoint reports it.' });
  });

  test('vLLM, LM Studio and Ollama each say the context in their own way', async () => {
    assert.equal((await connect({ '/v1/models': { data: [{ id: 'm', owned_by: 'vllm', max_model_len: 32_768 }] } })).size, 32_768);
    await server?.close();
    assert.equal((await connect({ '/v1/models': { data: [{ id: 'm', loaded_context_length: 6000, context_length: 9999 }] } })).size, 6000);
    await server?.close();
    const models = { data: [{ id: 'gemma', owned_by: 'library' }] };
    assert.equal((await connect({ '/v1/models': models, '/api/ps': { models: [{ name: 'gemma', context_length: 12_000 }] } })).size, 12_000);
    await server?.close();
    const silent = await connect({ '/v1/models': models });
    assert.equal(silent.size, 4096);
    assert.match(silent.reason, /Ollama/);
  });

  test('an endpoint that says nothing: 8,192 is assumed and said, the setting wins, but never above what is known', async () => {
    const bare = { '/v1/models': { data: [{ id: 'm' }] } };
    const assumed = await connect(bare);
    assert.equal(assumed.size, 8192);
    assert.match(assumed.reason, /assumed/);
    await server?.close();
    assert.equal((await connect(bare, { contextSize: 20_000 })).size, 20_000);
    await server?.close();
    const known = { '/v1/models': { data: [{ id: 'm', max_model_len: 4096 }] } };
    assert.equal((await connect(known, { contextSize: 20_000 })).size, 4096);
    await server?.close();
    assert.equal((await connect(known, { contextSize: 2048 })).size, 2048);
  });

  test('a list of models is not needed when the model is named, and is when it is not', async () => {
    assert.equal((await connect({}, { model: 'gpt' })).name, 'gpt');
    await server?.close();
    const unnamed = await connectEndpoint({ url: await start({}), model: '' }, signal);
    assert.equal(unnamed.ok ? '' : unnamed.error.code, 'endpoint.httpError');
    await server?.close();
    const empty = await connectEndpoint({ url: await start({ '/v1/models': { data: [] } }), model: '' }, signal);
    assert.match(empty.ok ? '' : empty.error.message, /lists no models/);
  });

  test('a list that is none, or far too long', async () => {
    const wrong = await listModels({ url: await start({ '/v1/models': { models: 'x' } }) }, signal);
    assert.equal(wrong.ok ? '' : wrong.error.code, 'endpoint.badResponse');
    await server?.close();
    server = await scriptedServer((_, response) => { response.writeHead(200); response.end(`{"data":["${'x'.repeat(5_000_000)}"]}`); });
    const large = await listModels({ url: server.origin }, signal);
    assert.match(large.ok ? '' : large.error.message, /too much data/);
  });

  test('an aborted signal is a cancellation, not a fault', async () => {
    server = await scriptedServer(() => undefined);
    const result = await connectEndpoint({ url: server.origin, model: '' }, AbortSignal.timeout(50));
    assert.ok(!result.ok);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    const cancelled = await connectEndpoint({ url: server.origin, model: '' }, controller.signal);
    assert.equal(cancelled.ok ? '' : cancelled.error.code, 'cancelled');
  });
});

suite('Endpoint address', () => {
  const base = (text: string, key = false): string => {
    const result = endpointBase(text, key);
    return result.ok ? result.value.href : result.error.message;
  };

  test('what people paste', () => {
    assert.equal(base('http://127.0.0.1:8080'), 'http://127.0.0.1:8080/v1');
    assert.equal(base(' https://host/v1/ '), 'https://host/v1');
    assert.equal(base('https://host/api/v1/chat/completions?x=1#y'), 'https://host/api/v1');
    assert.match(base('ftp://host'), /begins with ftp:/);
    assert.match(base('not an address'), /is not an address/);
    assert.match(base('https://user:pass@host/v1'), /user name or password/);
  });

  test('a key goes over https, or stays in a private network', () => {
    assert.match(base('http://example.com/v1', true), /unencrypted/);
    assert.equal(base('http://example.com/v1'), 'http://example.com/v1');
    for (const host of ['localhost', '127.0.0.1', '10.1.2.3', '172.20.0.1', '192.168.1.9', '[::1]', '[fd00::1]', 'workstation', 'gpu.local']) {
      assert.equal(isPrivateHost(new URL(`http://${host}/`).hostname), true, host);
    }
    for (const host of ['example.com', '8.8.8.8', '172.32.0.1', '11.0.0.1', '[2001:db8::1]', '127.0.0.1.evil.com']) {
      assert.equal(isPrivateHost(new URL(`http://${host}/`).hostname), false, host);
    }
  });
});

suite('Token estimate', () => {
  test('grows with the text and never counts nothing for something', () => {
    assert.equal(estimateTokens(''), 0);
    assert.ok(estimateTokens('a') >= 1);
    assert.equal(estimateTokens('2026'), 4);
    assert.ok(estimateTokens('internationalization') >= 5);
    assert.ok(estimateTokens('日本語') >= 3);
    assert.equal(estimateTokens('word word') * 10, estimateTokens(Array(10).fill('word word').join(' ')));
  });
});
