import { strict as assert } from 'node:assert';
import type { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import { ask, generate, loadParams, plain, request, value, Workplace } from '../../support/sidecar/harness.js';

/** Real model: Qwen2.5-Coder 0.5B in both roles, so that one copy of the weights serves chat and completions. */
suite('Several at once', () => {
  let place: Workplace;
  let client: SidecarSupervisor;
  suiteSetup(async () => {
    place = await Workplace.make();
    client = place.client();
    value(await client.load(loadParams('qwen')));
    const before = value(await client.status()).rssBytes;
    value(await client.load(loadParams('qwen', { role: 'completion', contextSize: 1024 })));
    const more = value(await client.status()).rssBytes - before;
    assert.ok(more < 450e6, `the second role took ${Math.round(more / 1e6)} MB: the weights (485 MB) were not shared`);
  });
  suiteTeardown(() => place.end());

  const long = 'The quick brown fox jumps over the lazy dog. '.repeat(120);
  const complete = (text: string, id?: string) => request(plain(text), { role: 'completion', conversation: 'file', maxTokens: 4, ...(id ? { id } : {}) });

  test('a completion does not wait for a long prompt of the chat', async () => {
    value((await generate(client, complete('const a ='))).result); // shows that somebody types
    const chat = new AbortController();
    const began = performance.now();
    let prefilled = 0;
    const running = client.generate(request(ask(long), { conversation: 'long', maxTokens: 200 }), { onProgress: ({ done }) => { prefilled = done; } }, chat.signal);
    await new Promise((resolve) => setTimeout(resolve, 600));
    const waits: number[] = [];
    for (const text of ['const b =', 'let c =', 'var d =']) waits.push(value((await generate(client, complete(text))).result).stats.queueMs);
    chat.abort();
    const ran = performance.now() - began;
    const { stats } = value(await running);
    assert.equal(stats.finish, 'cancelled');
    assert.ok(stats.queueMs > 0, 'the chat paused');
    // Relative, since this machine may be busy: what the whole prompt takes, at the speed of the part that was done.
    const whole = (ran * stats.tokensIn) / prefilled;
    assert.ok(prefilled < stats.tokensIn, 'the prompt was long enough to be in the way');
    const [, median] = waits.sort((a, b) => a - b);
    assert.ok(median !== undefined && median < Math.max(250, whole * 0.1), `waited ${waits.map(Math.round).join(', ')} ms for a chat of ${Math.round(whole)} ms`);
  });

  test('a new completion cancels the one before it of the same client, not of another', async () => {
    const other = place.client({ client: 'other' });
    const theirs = generate(other, complete('function theirs('));
    const first = generate(client, request(plain('1, 2, 3,'), { role: 'completion', conversation: 'file', maxTokens: 300 }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const second = await generate(client, complete('x ='));
    assert.equal(value((await first).result).stats.finish, 'cancelled');
    assert.notEqual(value(second.result).stats.finish, 'cancelled');
    assert.notEqual(value((await theirs).result).stats.finish, 'cancelled');
    other.dispose();
  });

  test('two conversations at once do not leak into each other', async () => {
    const chat = (name: string, canary: string) => generate(client,
      request([...ask(`My name is ${canary}. What is my name?`)], { conversation: name, maxTokens: 20 }));
    const [a, b, c] = await Promise.all([chat('a', 'Zebulon'), chat('b', 'Quixotia'), chat('c', 'Marmaduke')]);
    const texts = [a, b, c].map((observed) => value(observed.result).text);
    for (const [i, name] of ['Zebulon', 'Quixotia', 'Marmaduke'].entries()) {
      assert.ok(texts[i]?.includes(name), `${i}: ${texts[i]}`);
      for (const [j, other] of ['Zebulon', 'Quixotia', 'Marmaduke'].entries()) if (i !== j) assert.ok(!texts[i]?.includes(other), `${i}: ${texts[i]}`);
    }
  });

  test('unloading ends what runs on the model, and the other role lives on', async () => {
    const running = generate(client, request(plain('1, 2, 3,'), { conversation: 'end', maxTokens: 300 }));
    await new Promise((resolve) => setTimeout(resolve, 300));
    value(await client.unload('chat'));
    assert.equal(value((await running).result).stats.finish, 'cancelled');
    assert.equal(value(await client.status()).roles.chat.state, 'empty');
    const none = await generate(client, request(plain('x')));
    assert.equal(none.result.ok ? '' : none.result.error.code, 'model.none');
    assert.equal((await generate(client, complete('y ='))).result.ok, true);
  });
});
