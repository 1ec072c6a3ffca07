import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { runTurn } from '../../../src/agent/loop.js';
import type { AgentEvent, Approval } from '../../../src/protocol/agentEvents.js';
import { FakeTime } from './support/fakeTime.js';
import { answer, call, calls, finished, ScriptedModel, text } from './support/scriptedModel.js';
import { budget, echo, only, run, type Ran, type TurnOptions } from './support/turns.js';

/** Lets time pass while the turn waits, until it is over. */
async function whileTimePasses(time: FakeTime, options: TurnOptions): Promise<Ran> {
  let over = false;
  const turn = run({ ...options, time }).finally(() => (over = true));
  while (!over) {
    await setImmediate();
    time.advance(250);
  }
  return turn;
}

const asking = (answers: (approval: Approval, signal: AbortSignal) => Promise<'accepted' | 'rejected'>): ReturnType<typeof echo> =>
  echo('write', 'write', async (value, context) => {
    const edit = { path: 'a', kind: 'create', before: '', after: value, beforeHash: '' } as const;
    const decision = await context.approval({ id: context.newId(), kind: 'edit', edit }, answers);
    return { outcome: decision === 'accepted' ? 'ok' : 'refused', content: decision, summary: decision, truncated: false };
  });

suite('agent loop: stopping', () => {
  const script = (): TurnOptions => ({
    tools: [echo(), asking(() => Promise.resolve('accepted'))], context: 'Some context.', judge: async () => Promise.resolve({ pass: true }),
    replies: [calls(text('Look'), call('echo', { value: 'a' }), call('write', { value: 'b' })), answer('It is here.')],
  });

  test('a stop at any event ends the turn in order, with what there is', async () => {
    const all = (await run(script())).events.length;
    assert.ok(all > 12);
    for (let at = 0; at < all - 1; at++) {
      const controller = new AbortController();
      let seen = 0;
      const { result, events } = await run({ ...script(), signal: controller.signal, onEvent: () => seen++ === at && controller.abort() });
      const gate = only(events, 'gate')[0];
      if (events.findIndex((event) => event.type === 'gate') <= at) continue; // it was over already
      assert.deepEqual([gate?.gate, result.partial], ['cancelled', true], `stopped at event ${at}`);
      assert.match(gate?.reason ?? '', /^Stopped by the user in step \d\.$/);
      const said = only(events, 'modelFinished').map((event) => event.text).filter((t) => t !== '').at(-1) ?? '';
      assert.ok(result.answer.includes(said));
    }
  });

  test('a stop while something does not listen waits a grace, not for ever', async () => {
    const never = new Promise<never>(() => undefined);
    const hanging: Record<string, TurnOptions> = {
      'the model': { replies: [[text('Half an'), 'hang']] },
      'a stream that ignores its signal': { replies: [async function* () { yield text('Half an'); await never; }] },
      'a tool': { tools: [echo('echo', 'read', () => never)], replies: [calls(text('Half an'), call('echo', { value: '' }))] },
      'a tool that writes': { tools: [echo('echo', 'write', () => never)], replies: [calls(text('Half an'), call('echo', { value: '' }))] },
      'an approval': { tools: [asking(() => never)], replies: [calls(text('Half an'), call('write', { value: '' }))] },
      'the judge': { judge: () => never, replies: [answer('Half an')] },
      'the tokenizer': { model: new (class extends ScriptedModel { override countPromptTokens(): Promise<number> { return this.requests.length === 0 ? Promise.resolve(9) : never; } })([calls(text('Half an'), call('echo', { value: '' }))]) },
    };
    for (const [what, options] of Object.entries(hanging)) {
      const time = new FakeTime();
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 5);
      const { result } = await whileTimePasses(time, { ...options, signal: controller.signal, budget: { wallMs: 1e9 } });
      assert.deepEqual([result.gate, result.answer], ['cancelled', 'Half an'], what);
      assert.equal(time.pending, 0, `${what}: no timer is left`);
    }
  });

  test('a write that was stopped does not claim to know its effect', async () => {
    const time = new FakeTime();
    const controller = new AbortController();
    const { events } = await whileTimePasses(time, {
      tools: [echo('echo', 'write', () => new Promise(() => undefined))], replies: [calls(call('echo', { value: '' }))], signal: controller.signal,
      onEvent: (event) => event.type === 'toolStarted' && controller.abort(),
    });
    assert.match(only(events, 'toolFinished')[0]?.result ?? '', /Whether it took effect is not known/);
  });

  test('a model that is stopped still reports what it cost', async () => {
    const controller = new AbortController();
    const { events } = await run({
      signal: controller.signal,
      replies: [[text('One'), () => controller.abort(), text(' two'), finished({ finish: 'cancelled', tokensOut: 7 })]],
    });
    const done = only(events, 'modelFinished')[0];
    assert.deepEqual([done?.text, done?.stats.finish, done?.stats.tokensOut], ['One', 'cancelled', 7]);
  });

  test('a consumer that stops reading stops the model', async () => {
    const time = new FakeTime();
    let stopped = false;
    const model = new ScriptedModel([async function* (_, signal) {
      yield text('a');
      signal.addEventListener('abort', () => (stopped = true));
      yield text('b');
    }]);
    const input = { turnId: 't', conversation: 'c', goal: 'g', context: '', history: [], budget, zone: 'full' } as const;
    const turn = runTurn({ model, tools: [], clock: time, timers: time, newId: () => 'n' }, input, new AbortController().signal);
    for (let event = (await turn.next()).value; (event as AgentEvent).type !== 'textDelta'; event = (await turn.next()).value);
    await turn.next();
    await turn.return({ messages: [], answer: '', partial: true, gate: 'cancelled' });
    assert.ok(stopped);
    assert.equal(time.pending, 0);
  });
});

suite('agent loop: wall clock', () => {
  const slowTool = (time: FakeTime, ms: number): ReturnType<typeof echo> =>
    echo('slow', 'read', (value) => {
      time.advance(ms);
      return { outcome: 'ok', content: value, summary: value, truncated: false };
    });

  test('near the end, time is kept for an answer', async () => {
    const time = new FakeTime();
    const { result, model, events } = await run({
      time, tools: [slowTool(time, 85_000)], budget: { wallMs: 100_000 }, replies: [calls(call('slow', { value: 'a' })), answer('Partly.')],
    });
    assert.deepEqual([result.gate, result.answer, result.partial, model.requests[1]?.toolChoice], ['wallClock', 'Partly.', true, 'none']);
    assert.equal(only(events, 'gate')[0]?.reason, 'The turn has taken 85 s of 100 s; the rest was kept for an answer.');
  });

  test('a slow model is given more of it', async () => {
    const time = new FakeTime();
    const slow = finished({ prefillMs: 25_000, decodeMs: 5_000 });
    const { result, model } = await run({
      time, tools: [slowTool(time, 56_000)], budget: { wallMs: 100_000 }, replies: [[call('slow', { value: 'a' }), slow], answer('Partly.')],
    });
    assert.deepEqual([result.gate, model.requests[1]?.toolChoice], ['wallClock', 'none']);
  });

  test('at the end, the model is stopped in the middle and its text kept', async () => {
    const time = new FakeTime();
    const { result, events } = await whileTimePasses(time, { budget: { wallMs: 10_000 }, replies: [[text('Half'), 'hang']] });
    assert.deepEqual([result.gate, result.answer, result.partial], ['wallClock', 'Half', true]);
    assert.match(only(events, 'gate')[0]?.reason ?? '', /^The time budget of 10 s is used/);
  });

  test('waiting for an approval does not count', async () => {
    const time = new FakeTime();
    const tool = asking(() => {
      time.advance(3_600_000);
      return Promise.resolve('accepted');
    });
    const { result, events } = await run({ time, tools: [tool], replies: [calls(call('write', { value: 'a' })), answer('Done.')] });
    assert.equal(result.gate, 'answered');
    assert.equal(only(events, 'approvalResolved')[0]?.waitedMs, 3_600_000);
    const done = only(events, 'toolFinished')[0];
    assert.deepEqual([done?.approvalMs, done?.toolMs], [3_600_000, 0]);
    assert.ok((only(events, 'gate')[0]?.spent.wallMs ?? Infinity) < 1_000);
  });

  test('neither a clock that jumps nor a machine that sleeps ends the turn', async () => {
    const time = new FakeTime();
    const tool = echo('sleepy', 'read', (value) => {
      time.jumpWall(value === 'forward' ? 86_400_000 : -86_400_000);
      time.sleep(8 * 3_600_000);
      return { outcome: 'ok', content: value, summary: value, truncated: false };
    });
    const { result } = await run({ time, tools: [tool], replies: [calls(call('sleepy', { value: 'forward' }), call('sleepy', { value: 'back' })), answer('Done.')] });
    assert.equal(result.gate, 'answered');
  });
});
