import assert from 'node:assert/strict';
import { makeError } from '../../../src/base/errors.js';
import { nudges } from '../../../src/agent/prompt.js';
import { answer, call, calls, finished, malformed, ScriptedModel, text } from './support/scriptedModel.js';
import { echo, only, run } from './support/turns.js';

suite('agent loop: gates', () => {
  test('an answer without calls ends the turn', async () => {
    const { result, events } = await run({ replies: [answer('In src/a.ts.')] });
    assert.deepEqual({ ...result, messages: undefined }, { answer: 'In src/a.ts.', partial: false, gate: 'answered', messages: undefined });
    assert.equal(only(events, 'gate')[0]?.reason, 'Answered after 1 step and 0 tool calls.');
    assert.deepEqual(result.messages, [{ role: 'user', content: 'Where is it?' }, { role: 'assistant', content: 'In src/a.ts.' }]);
  });

  test('calls are run, and their results are in the next prompt', async () => {
    const { model, events } = await run({ replies: [calls(text('Looking.'), call('echo', { value: 'x' }, 'c1')), answer('Done.')] });
    assert.deepEqual(model.requests[1]?.messages.slice(-2), [
      { role: 'assistant', content: 'Looking.', toolCalls: [{ id: 'c1', name: 'echo', arguments: { value: 'x' } }] },
      { role: 'tool', callId: 'c1', name: 'echo', content: 'echo x' },
    ]);
    assert.equal(only(events, 'gate')[0]?.reason, 'Answered after 2 steps and 1 tool call.');
  });

  test('prompts only grow: each is a prefix of the next, tools and system prompt included', async () => {
    const { model } = await run({ replies: [calls(call('echo', { value: 'a' })), calls(call('echo', { value: 'b' })), answer('Done.')] });
    model.requests.reduce((before, now) => {
      assert.deepEqual(now.messages.slice(0, before.messages.length), before.messages);
      assert.deepEqual(now.tools, before.tools);
      return now;
    });
  });

  test('the next turn goes on where this one ended', async () => {
    const first = await run({ replies: [calls(call('echo', { value: 'a' })), answer('One.')] });
    const second = await run({ replies: [answer('Two.')], history: first.result.messages, goal: 'And then?' });
    const before = first.model.requests[1]?.messages ?? [];
    assert.deepEqual(second.model.requests[0]?.messages.slice(0, before.length), before);
  });

  test('an empty answer is asked for once more, then it is an error', async () => {
    const again = await run({ replies: [answer(' \n'), answer('Here.')] });
    assert.equal(again.result.gate, 'answered');
    assert.ok(again.model.requests[1]?.messages.at(-1)?.content.endsWith(nudges.empty));
    const twice = await run({ replies: [answer(''), answer('')] });
    assert.equal(twice.result.gate, 'error');
    assert.equal(only(twice.events, 'gate')[0]?.error?.code, 'model.emptyAnswer');
  });

  test('out of steps: the last one answers without tools, and the answer is marked', async () => {
    const { result, model, events } = await run({
      budget: { steps: 3 }, replies: [calls(call('echo', { value: 'a' })), calls(call('echo', { value: 'b' })), answer('So far: a, b.')],
    });
    assert.deepEqual([result.gate, result.partial, result.answer], ['steps', true, 'So far: a, b.']);
    assert.deepEqual(model.requests.map(({ toolChoice }) => toolChoice), ['auto', 'auto', 'none']);
    assert.ok(model.requests[2]?.messages.at(-1)?.content.endsWith(nudges.closing));
    assert.equal(only(events, 'gate')[0]?.reason, 'The budget of 3 steps is used; the last one was kept for an answer.');
  });

  test('calls in the last hop are not run', async () => {
    const { result, events } = await run({
      budget: { steps: 2 }, replies: [calls(text('First I look.'), call('echo', { value: 'a' })), calls(call('echo', { value: 'b' }))],
    });
    assert.deepEqual([result.gate, result.answer], ['steps', 'First I look.']);
    assert.equal(only(events, 'toolStarted').length, 1);
  });

  test('a budget of one step answers directly', async () => {
    const { result, model } = await run({ budget: { steps: 1 }, replies: [answer('Yes.')] });
    assert.deepEqual([result.gate, model.requests[0]?.toolChoice], ['answered', 'none']);
  });

  test('out of tokens: a last answer while enough are left, else what there is', async () => {
    const spend = (tokens: number): Parameters<typeof finished>[0] => ({ tokensIn: tokens, tokensCached: 10, tokensOut: 10 });
    const closing = await run({
      budget: { tokens: 4_000 }, replies: [[call('echo', { value: 'a' }), finished(spend(3_200))], answer('Partly.', spend(3_300))],
    });
    assert.deepEqual([closing.result.gate, closing.result.answer, closing.model.requests[1]?.toolChoice], ['tokens', 'Partly.', 'none']);
    assert.match(only(closing.events, 'gate')[0]?.reason ?? '', /3,200 of 4,000 tokens/);
    const none = await run({ budget: { tokens: 4_000 }, replies: [[text('I look.'), call('echo', { value: 'a' }), finished(spend(4_500))]] });
    assert.deepEqual([none.result.gate, none.result.answer, none.model.requests.length], ['tokens', 'I look.', 1]);
  });

  test('the third identical call is not run; key order does not matter', async () => {
    const { result, events, model } = await run({
      replies: [calls(call('echo', { value: 'a', extra: 1 })), calls(call('echo', { extra: 1, value: 'a' })), calls(call('echo', { value: 'a', extra: 1 })), answer('It says a.')],
    });
    assert.deepEqual([result.gate, result.answer, result.partial], ['repeatedCalls', 'It says a.', true]);
    assert.equal(only(events, 'toolStarted').length, 2);
    assert.match(only(events, 'toolFinished')[1]?.result ?? '', /same call before/);
    assert.equal(model.requests[3]?.toolChoice, 'none');
    assert.equal(only(events, 'gate')[0]?.reason, 'The model called echo 3 times with the same arguments.');
  });

  test('looking again after a change is no repetition', async () => {
    const look = (): ReturnType<typeof calls> => calls(call('echo', { value: 'a' }));
    const { result } = await run({
      tools: [echo(), echo('change', 'write')],
      replies: [look(), look(), calls(call('change', { value: 'a' })), look(), look(), answer('Done.')],
    });
    assert.equal(result.gate, 'answered');
  });

  test('a judge sends an answer back with its reason, and gives up the third time', async () => {
    const seen: string[] = [];
    const fixed = await run({
      replies: [answer('Bad.'), answer('Good.')],
      judge: ({ answer: given }) => {
        seen.push(given);
        return given === 'Good.' ? { pass: true } : { pass: false, reason: 'a test fails.' };
      },
    });
    assert.deepEqual([fixed.result.gate, fixed.result.answer, seen], ['answered', 'Good.', ['Bad.', 'Good.']]);
    assert.match(fixed.model.requests[1]?.messages.at(-1)?.content ?? '', /a test fails\./);
    const refused = await run({ replies: [answer('1'), answer('2'), answer('3')], judge: () => ({ pass: false, reason: 'no.' }) });
    assert.deepEqual([refused.result.gate, refused.result.answer, refused.result.partial], ['judge', '3', true]);
    const broken = await run({ replies: [answer('1')], judge: () => { throw new Error('judge broke'); } });
    assert.deepEqual([broken.result.gate, broken.result.answer], ['error', '1']);
  });

  test('a malformed call is repaired once with the error shown', async () => {
    const { result, model, events } = await run({ replies: [calls(malformed()), calls(call('echo', { value: 'a' })), answer('Done.')] });
    assert.equal(result.gate, 'answered');
    assert.deepEqual(model.requests[1]?.messages.slice(-2), [
      { role: 'assistant', content: '{"name": "read_file"' }, { role: 'user', content: nudges.malformed('no closing brace.') },
    ]);
    assert.deepEqual(only(events, 'malformedCall').map(({ repair }) => repair), ['retrying']);
  });

  test('a second malformed call in a row is given up, with an answer all the same', async () => {
    const { result, events } = await run({ replies: [calls(malformed()), calls(malformed()), answer('Without it.')] });
    assert.deepEqual([result.gate, result.answer, result.partial], ['malformedCalls', 'Without it.', true]);
    assert.deepEqual(only(events, 'malformedCall').map(({ repair }) => repair), ['retrying', 'givenUp']);
  });

  test('a good call between two malformed ones earns another repair', async () => {
    const { result } = await run({ replies: [calls(malformed()), calls(call('echo', { value: 'a' })), calls(malformed()), answer('Done.')] });
    assert.equal(result.gate, 'answered');
  });

  test('a failing model keeps what it said', async () => {
    const error = makeError('sidecar.crashed', 'The sidecar crashed.', 'Ask again.');
    const { result, events } = await run({ replies: [[text('The answer begins'), { type: 'failed', error }]] });
    assert.deepEqual([result.gate, result.answer, result.partial], ['error', 'The answer begins', true]);
    assert.deepEqual(only(events, 'gate')[0]?.error, error);
    assert.equal(result.messages.at(-1)?.content, 'The answer begins');
  });

  test('a model that throws, or ends without saying how, is an error', async () => {
    assert.equal((await run({ replies: [[text('a'), 'throw']] })).result.gate, 'error');
    assert.equal((await run({ replies: [[text('a')]] })).result.gate, 'error');
    const uncountable = new ScriptedModel([], 8_192, () => { throw new Error('no tokenizer'); });
    assert.equal((await run({ model: uncountable })).result.gate, 'error');
  });

  test('an answer cut off by its limit is marked, and the limit is named', async () => {
    const full = await run({ model: new ScriptedModel([answer('Cut', { finish: 'length', tokensOut: 500 })], 512) });
    assert.deepEqual([full.result.gate, full.result.partial], ['contextFull', true]);
    assert.match(only(full.events, 'gate')[0]?.reason ?? '', /500 tokens: the context of 512 tokens is full/);
    const long = await run({ replies: [answer('Cut', { finish: 'length', tokensOut: 4_096 })] });
    assert.equal(long.result.gate, 'tokens');
    const poor = await run({ budget: { tokens: 1_000 }, replies: [answer('Cut', { finish: 'length', tokensOut: 1_000 })] });
    assert.match(only(poor.events, 'gate')[0]?.reason ?? '', /the turn may use 1,000 tokens/);
  });

  test('a question larger than the context is an explicit error with numbers', async () => {
    const { result, events, model } = await run({ model: new ScriptedModel([], 1_024), context: 'x'.repeat(10_000) });
    const gate = only(events, 'gate')[0];
    assert.deepEqual([result.gate, gate?.error?.code, model.requests.length], ['contextFull', 'context.overflow', 0]);
    assert.match(gate?.reason ?? '', /2,\d{3} tokens; the model's context of 1,024/);
  });

  test('a runtime that finds the prompt too long after all is a full context', async () => {
    const error = makeError('context.overflow', 'Too long.', 'Ask for less.');
    assert.equal((await run({ replies: [[{ type: 'failed', error }]] })).result.gate, 'contextFull');
  });
});

suite('agent loop: calls', () => {
  test('an id that comes again gets a new one; the same call delivered twice is one', async () => {
    const { events } = await run({
      replies: [
        calls(call('echo', { value: 'a' }, '1'), call('echo', { value: 'a' }, '1'), call('echo', { value: 'b' }, '1')),
        calls(call('echo', { value: 'c' }, '1'), call('echo', { value: 'd' }, '')), answer('Done.'),
      ],
    });
    assert.deepEqual(only(events, 'toolStarted').map(({ call: { id, arguments: args } }) => [id, args['value']]),
      [['1', 'a'], ['new-0', 'b'], ['new-1', 'c'], ['new-2', 'd']]);
  });

  test('unknown tools, bad arguments and exceptions are results', async () => {
    const broken = echo('broken', 'read', () => { throw new Error('disk on fire'); });
    const { events, result } = await run({
      tools: [echo(), broken, { ...echo('raw'), run: () => Promise.reject(new Error('not even defined well')) }],
      replies: [calls(call('nope'), call('echo', { value: 7 }), call('broken', { value: '' }), call('raw', { value: '' })), answer('Done.')],
    });
    const results = only(events, 'toolFinished');
    assert.deepEqual(results.map(({ outcome }) => outcome), ['error', 'error', 'error', 'error']);
    assert.match(results[0]?.result ?? '', /no tool "nope"\. The tools are: echo, broken, raw\./);
    assert.match(results[1]?.result ?? '', /arguments of echo do not fit \(value:/);
    assert.match(results[2]?.result ?? '', /disk on fire/);
    assert.match(result.answer, /What gave no result:\n> - `nope` failed/);
  });

  test('what failed or was empty is said in the answer, once each, whatever the model says', async () => {
    const empty = echo('search', 'read', (value) => ({ outcome: 'empty', content: `No match for ${value}.`, summary: `No match for *${value}*\n# x`, truncated: false }));
    const { result, events } = await run({
      tools: [empty, echo()], replies: [calls(call('search', { value: 'a' }), call('search', { value: 'a' }), call('echo', { value: 'b' })), answer('All fine!\n')],
    });
    const note = '> What gave no result:\n> - `search` nothing found: No match for \\*a\\* \\# x';
    assert.equal(result.answer, `All fine!\n\n${note}`);
    assert.equal(only(events, 'textDelta').at(-1)?.text, `\n\n${note}`);
    assert.equal(result.messages.at(-1)?.content, 'All fine!\n', 'the history holds what the model wrote, so that its prefix stays cached');
  });

  test('a tool that returns nothing, or far too much, is made presentable', async () => {
    const tool = echo('big', 'read', (value) => ({ outcome: 'ok', content: value === 'none' ? ' ' : 'y'.repeat(1_000_000), summary: 's', truncated: false }));
    const { events } = await run({ model: new ScriptedModel([calls(call('big', { value: 'none' }), call('big', { value: 'x' })), answer('Done.')], 100_000), tools: [tool] });
    const [none, big] = only(events, 'toolFinished');
    assert.deepEqual([none?.outcome, none?.result], ['empty', 'The tool returned nothing.']);
    assert.ok((big?.resultBytes ?? 0) < 66_000 && big?.truncated);
    assert.match(big?.result ?? '', /\[cut to 65,536 of 1,000,000 characters\]$/);
  });

  test('hidden characters in a result are shown and flagged', async () => {
    const tool = echo('read', 'read', () => ({ outcome: 'ok', content: 'a\u202eb\u{e0041}', summary: 'x\u200b', truncated: false }));
    const { events } = await run({ tools: [tool], replies: [calls(call('read', { value: '' })), answer('Done.')] });
    assert.equal(only(events, 'toolFinished')[0]?.result, 'a\\u{202e}b\\u{e0041}\n[2 hidden characters are shown as escapes]');
  });

  test('the folder is recorded before the first change of a turn, once, and only when a change was allowed', async () => {
    const order: string[] = [];
    const changing = echo('change', 'write', async (value, context) => {
      const decision = await context.approval({ id: context.newId(), kind: 'command', command: value, cwd: '/' }, () => Promise.resolve(value === 'no' ? 'rejected' : 'accepted'));
      order.push(`${value} ${decision}`);
      return { outcome: 'ok', content: value, summary: '', truncated: false };
    });
    let taken = 0;
    const { events } = await run({
      tools: [echo(), changing], replies: [calls(call('echo', { value: 'x' }), call('change', { value: 'no' }), call('change', { value: 'a' }), call('change', { value: 'b' })), answer('Done.')],
      checkpoint: ({ turnId, goal }) => {
        order.push(`recorded ${turnId} ${goal}`);
        return Promise.resolve({ first: ++taken === 1, problem: 'no git.' });
      },
    });
    assert.deepEqual(order, ['no rejected', 'recorded turn Where is it?', 'a accepted', 'recorded turn Where is it?', 'b accepted']);
    assert.deepEqual(only(events, 'checkpointTaken').map(({ problem }) => problem), ['no git.']);
  });

  test('every call has its verdict and reason in the events', async () => {
    const { events } = await run({ zone: 'zero', tools: [echo(), echo('write', 'write'), echo('fetch', 'network')], replies: [calls(call('echo', { value: 'x' }), call('write', { value: 'x' }), call('fetch', { value: 'x' })), answer('Done.')] });
    assert.deepEqual(only(events, 'policyDecided').map(({ verdict, reason }) => [verdict, reason]), [
      ['allow', 'Reading in the workspace folder is allowed.'], ['deny', 'Changing a file is not allowed here: nothing may be changed or run.'], ['deny', 'Using the network is not allowed here: nothing may be changed or run.'],
    ]);
  });

  test('zone zero offers nothing that writes or runs, and refuses it when called', async () => {
    let ran = 0;
    const write = echo('write', 'write', () => ({ outcome: 'ok', content: String(++ran), summary: '', truncated: false }));
    const { model, events } = await run({ zone: 'zero', tools: [echo(), write], replies: [calls(call('write', { value: '' })), answer('Done.')] });
    assert.deepEqual(model.requests[0]?.tools.map(({ name }) => name), ['echo']);
    assert.deepEqual([only(events, 'toolFinished')[0]?.outcome, ran], ['refused', 0]);
    assert.match(only(events, 'toolFinished')[0]?.result ?? '', /not allowed here/);
  });
});
