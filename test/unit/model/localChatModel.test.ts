import assert from 'node:assert/strict';
import type { ChatModelEvent, ChatRequest } from '../../../src/model/chatModel.js';
import { LocalChatModel } from '../../../src/model/localChatModel.js';
import type { ChatMessage } from '../../../src/protocol/chat.js';
import type { LoadedModel } from '../../../src/protocol/sidecar.js';
import { chat, tools as plainTools } from './formats/conversations.js';
import { ScriptedEngine } from './scriptedEngine.js';

const tools = plainTools.map((tool) => ({ ...tool, safety: 'reads' as const }));

const loaded: LoadedModel = {
  role: 'chat', path: '/m.gguf', name: 'Test', architecture: 'qwen2', fileBytes: 1, trainContext: 1, contextSize: 4096, kvPreset: 'exact', kv: { keys: 'f16', values: 'f16', windowF16: true, f16Rows: 0 },
  kvBytesTotal: 1, gpuLayers: 0, fillInMiddle: false, loadMs: 1,
};
const gemma4: LoadedModel = { ...loaded, architecture: 'gemma4' };

const ask: ChatRequest = { conversation: 'c', messages: chat, tools, toolChoice: 'auto', maxTokens: 100 };

async function run(engine: ScriptedEngine, request: ChatRequest = ask, model: LoadedModel = loaded): Promise<ChatModelEvent[]> {
  let id = 0;
  const events: ChatModelEvent[] = [];
  for await (const event of new LocalChatModel(engine, model, () => String(++id)).chat(request, new AbortController().signal)) events.push(event);
  return events;
}

/** Events without stats, text joined: `text:Hi`, `call:read_file{"path":"a"}`, `malformed:...`, `finished:stop`. */
function outline(events: readonly ChatModelEvent[]): string[] {
  const lines: string[] = [];
  for (const event of events) {
    const last = lines.at(-1);
    switch (event.type) {
      case 'text': if (last?.startsWith('text:') === true) lines[lines.length - 1] = last + event.text; else lines.push(`text:${event.text}`); break;
      case 'toolCall': lines.push(`call:${event.call.name}${JSON.stringify(event.call.arguments)}`); break;
      case 'malformedCall': lines.push(`malformed:${event.problem}`); break;
      case 'finished': lines.push(`finished:${event.stats.finish}`); break;
      case 'failed': lines.push(`failed:${event.error.code}`); break;
      case 'progress': break;
    }
  }
  return lines;
}

const lastText = (engine: ScriptedEngine, request = engine.generated.length - 1): string => engine.generated[request]?.prompt.at(-1)?.text ?? '';

suite('LocalChatModel with a scripted engine', () => {
  test('answers without tools, without a probe', async () => {
    const engine = new ScriptedEngine({ replies: [{ text: 'Hi' }] });
    assert.deepEqual(outline(await run(engine, { ...ask, tools: [] })), ['text:Hi', 'finished:stop']);
    assert.equal(engine.probed.length, 0);
    assert.match(lastText(engine), /<\|im_start\|>assistant\n$/);
  });

  test('answers when the first token says none', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0.9, 0.05, 0.01]], replies: [{ text: 'A closure is...' }] });
    assert.deepEqual(outline(await run(engine)), ['text:A closure is...', 'finished:stop']);
    assert.deepEqual(engine.probed[0]?.candidates, [' none', ' read_file', ' search_text']);
    assert.match(lastText(engine), /assistant\nTool: none\n$/);
    assert.equal(engine.generated[0]?.grammar, undefined);
  });

  test('calls a tool, constrained by the grammar, on the prompt of the probe', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0.1, 0.8, 0.01]], replies: [{ text: ' read_file\n{"path": "a.ts"}' }] });
    assert.deepEqual(outline(await run(engine)), ['call:read_file{"path":"a.ts"}', 'finished:stop']);
    assert.deepEqual(engine.generated[0]?.prompt, engine.probed[0]?.prompt);
    assert.match(engine.generated[0]?.grammar ?? '', /^root ::= call-0 \| call-1$/m);
  });

  test('where a look helps, the same call again gives way to another tool, once', async () => {
    const before: ChatMessage[] = [
      { role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'read_file', arguments: { path: 'a.ts' } }] },
      { role: 'tool', callId: '1', name: 'read_file', content: 'nothing' },
    ];
    const again = { text: ' read_file\n{"path": "a.ts"}' };
    const request = { ...ask, messages: [...chat, ...before] };
    const script = (): ScriptedEngine => new ScriptedEngine({ probabilities: [[0.1, 0.8, 0.01]], replies: [again, { text: ' search_text\n{"pattern": "b"}' }] });
    const eager = script();
    assert.deepEqual(outline(await run(eager, { ...request, eager: true })), ['call:search_text{"pattern":"b"}', 'finished:stop']);
    assert.match(eager.generated[1]?.grammar ?? '', /^root ::= call-0$/m);
    assert.deepEqual(outline(await run(script(), request)), ['text: search_text\n{"pattern": "b"}', 'finished:stop'], 'otherwise it answers');
  });

  test('a tool of which nothing is known needs near certainty and a second look', async () => {
    const calls = async (none: number, secondLook: readonly number[]): Promise<boolean> => {
      const answers = [0.05, 0.05];
      const engine = new ScriptedEngine({ probabilities: [[none, 0.8, 0.01], ...(secondLook.length > 0 ? [secondLook] : []), answers], replies: [{ text: ' read_file\n{"path": "a.ts"}' }] });
      const [first] = outline(await run(engine, { ...ask, tools: plainTools }));
      assert.match(first ?? '', /^(?:call|text):/);
      return first?.startsWith('call:') === true;
    };
    assert.equal(await calls(0.01, [0.5, 0.4, 0.05, 0.05]), true);
    assert.equal(await calls(0.01, [0.4, 0.3, 0.2, 0.1]), false);
    assert.equal(await calls(0.1, []), false);
  });

  test('an answer that would only decline becomes a call of a tool of which nothing is known', async () => {
    const declines = async (sorry: number): Promise<string[]> => {
      const engine = new ScriptedEngine({ probabilities: [[0.5, 0.4, 0.01], [sorry, 0]], replies: [{ text: ' read_file\n{"path": "a.ts"}' }] });
      const lines = outline(await run(engine, { ...ask, tools: plainTools }));
      assert.deepEqual(engine.probed[1]?.candidates, ['Sorry', 'Unfortunately']);
      assert.match(engine.probed[1]?.prompt.at(-1)?.text ?? '', /Tool: none\n$/);
      return lines;
    };
    assert.deepEqual(await declines(0.8), ['call:read_file{"path":"a.ts"}', 'finished:stop']);
    assert.match((await declines(0.1))[0] ?? '', /^text:/);
  });

  test('the second look asks on the same conversation, without the tool line', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0.01, 0.8, 0.01], [1, 0, 0, 0]], replies: [{ text: ' read_file\n{"path": "a.ts"}' }] });
    await run(engine, { ...ask, tools: plainTools });
    assert.deepEqual(engine.probed[1]?.candidates, ['yes', 'Yes', 'no', 'No']);
    assert.match(engine.probed[1]?.prompt.at(-1)?.text ?? '', /assistant\n$/);
    assert.deepEqual(engine.generated[0]?.prompt, engine.probed[0]?.prompt);
  });

  test('a call whose result is there already becomes an answer, and both count', async () => {
    const messages: ChatMessage[] = [...chat, { role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'read_file', arguments: { path: 'a.ts' } }] }, { role: 'tool', callId: '1', name: 'read_file', content: 'x' }];
    const engine = new ScriptedEngine({ probabilities: [[0.1, 0.8, 0]], replies: [{ text: ' read_file\n{"path": "a.ts"}', stats: { tokensOut: 9 } }, { text: 'It holds x.', stats: { tokensOut: 4 } }] });
    const events = await run(engine, { ...ask, messages });
    assert.deepEqual(outline(events), ['text:It holds x.', 'finished:stop']);
    const last = events.at(-1);
    assert.equal(last?.type === 'finished' && last.stats.tokensOut, 13);
    assert.match(lastText(engine), /Tool: none\n$/);
  });

  test('toolChoice none keeps the prompt of the tools and never calls', async () => {
    const engine = new ScriptedEngine({ replies: [{ text: '{"name": "read_file", "arguments": {"path": "a"}}' }] });
    assert.deepEqual(outline(await run(engine, { ...ask, toolChoice: 'none' })), ['text:{"name": "read_file", "arguments": {"path": "a"}}', 'finished:stop']);
    assert.match(lastText(engine), /Tool: none\n$/);
    assert.ok(engine.generated[0]?.prompt[1]?.text.includes('<tools>'));
  });

  test('a call after some text: what was written stays, and the call is constrained', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0.9, 0, 0]], replies: [{ text: 'I will look.', stop: '\nTool:' }, { text: ' read_file\n{"path": "a"}' }] });
    assert.deepEqual(outline(await run(engine)), ['text:I will look.', 'call:read_file{"path":"a"}', 'finished:stop']);
    assert.deepEqual(engine.generated[1]?.prompt.slice(-2), [{ text: 'I will look.', control: false }, { text: '\nTool:', control: true }]);
  });

  test('a call written as an answer is a call, and is not shown', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0.9, 0, 0]], replies: [{ text: '```json\n{"name": "read_file", "arguments": {"path": "a"}}\n```' }] });
    assert.deepEqual(outline(await run(engine)), ['call:read_file{"path":"a"}', 'finished:stop']);
  });

  test('JSON that is an answer is shown', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0.9, 0, 0]], replies: [{ text: '{"name": "loupe", "version": 1}' }] });
    assert.deepEqual(outline(await run(engine)), ['text:{"name": "loupe", "version": 1}', 'finished:stop']);
  });

  test('a call that does not fit the schema is malformed', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0, 1, 0]], replies: [{ text: ' read_file\n{"path": 1}' }] });
    assert.deepEqual(outline(await run(engine)), ['malformed:read_file: arguments.path must be string, not number', 'finished:stop']);
  });

  test('a call that the token limit cut off is malformed, and says so', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0, 1, 0]], replies: [{ text: ' read_file\n{"path": "aaa', stats: { finish: 'length' } }] });
    assert.deepEqual(outline(await run(engine)), ['malformed:the call was cut off at the token limit; make it shorter', 'finished:length']);
  });

  test('cost: probe and reply add up, and only what was prefilled counts as not cached', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0.9, 0, 0]], replies: [{ text: 'Hi', stats: { tokensIn: 102, tokensCached: 100, tokensOut: 5, prefillMs: 2, decodeMs: 50, kvBytes: 7 } }] });
    const last = (await run(engine)).at(-1);
    assert.ok(last?.type === 'finished');
    assert.deepEqual(last.stats, { queueMs: 0, restoreMs: 0, prefillMs: 62, decodeMs: 50, tokensIn: 102, tokensCached: 40, tokensOut: 5, kvBytes: 7, finish: 'stop' });
  });

  test('cost: what was read ahead is told, whichever request of the hop finds it', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0.9, 0, 0]], replies: [{ text: 'Hi', stats: { tokensIn: 102, tokensCached: 100, tokensAhead: 30 } }] });
    const last = (await run(engine)).at(-1);
    assert.deepEqual(last?.type === 'finished' && [last.stats.tokensAhead, last.stats.tokensCached], [30, 40]);
  });

  test('a failure of the engine is the last event', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0.9, 0, 0]], replies: [{ text: '', error: ['context.overflow', 'Too long.', 'Shorten it.'] }] });
    const events = await run(engine);
    assert.deepEqual(outline(events), ['failed:context.overflow']);
  });

  test('cancelled in the middle of a call: no malformed call, finish says it', async () => {
    const engine = new ScriptedEngine({ probabilities: [[0, 1, 0]], replies: [{ text: ' read_', stats: { finish: 'cancelled' } }] });
    assert.deepEqual(outline(await run(engine)), ['finished:cancelled']);
  });

  test('Gemma 4 decides by itself: text, thoughts hidden, then a constrained call', async () => {
    const engine = new ScriptedEngine({ replies: [{ text: '<|channel>thought\nhm<channel|>Let me look.', stop: '<|tool_call>' }, { text: 'call:read_file{path:<|"|>a<|"|>}<tool_call|>' }] });
    assert.deepEqual(outline(await run(engine, ask, gemma4)), ['text:Let me look.', 'call:read_file{"path":"a"}', 'finished:stop']);
    assert.equal(engine.probed.length, 0);
    assert.match(engine.generated[1]?.grammar ?? '', /call:read_file/);
  });

  test('counts the tokens of the rendered prompt', async () => {
    const model = new LocalChatModel(new ScriptedEngine({ replies: [] }), loaded);
    assert.equal(await model.countPromptTokens({ messages: [{ role: 'user', content: 'abc' }], tools: [], toolChoice: 'auto' }, new AbortController().signal), '<|im_start|>user\nabc<|im_end|>\n<|im_start|>assistant\n'.length);
  });
});
