import assert from 'node:assert/strict';
import { firstPrompt } from '../../../src/agent/prefix.js';
import { readAhead } from '../../../src/agent/readAhead.js';
import { runTurn } from '../../../src/agent/loop.js';
import type { TurnInput } from '../../../src/agent/turn.js';
import { LocalChatModel } from '../../../src/model/localChatModel.js';
import type { ChatMessage } from '../../../src/protocol/chat.js';
import type { LoadedModel, PromptSegment } from '../../../src/protocol/sidecar.js';
import { ScriptedEngine } from '../model/scriptedEngine.js';
import { FakeTime } from './support/fakeTime.js';
import { budget, echo } from './support/turns.js';
import { ScriptedModel } from './support/scriptedModel.js';

const never = new AbortController().signal;
const loaded: LoadedModel = {
  role: 'chat', path: '/m.gguf', name: 'Test', architecture: 'none', fileBytes: 1, trainContext: 1, contextSize: 100_000, kvPreset: 'exact', kv: { keys: 'f16', values: 'f16', windowF16: true, f16Rows: 0 },
  kvBytesTotal: 1, gpuLayers: 0, fillInMiddle: false, loadMs: 1,
};
/** One marker of each family's template. */
const templates = { chatml: '<|im_start|>', gemma3: '<start_of_turn>', gemma4: '<|turn>', llama3: '<|start_header_id|>', mistral: '[INST]', plain: '' };

const history: readonly ChatMessage[] = [
  { role: 'user', content: 'Where is the port?' },
  { role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'echo', arguments: { value: 'port' } }] },
  { role: 'tool', callId: '1', name: 'echo', content: 'src/port.ts' },
  { role: 'assistant', content: 'In src/port.ts.' },
];
const inputs: Readonly<Record<string, Partial<TurnInput>>> = {
  'a first question': {},
  'an attachment': { context: 'File a.ts:\n```\nconst a = 1;\n```' },
  'a later question': { history },
  'what is remembered': { memory: { mode: 'map', blocks: ['# Files\na.ts\n', '# More\nb.ts\n'] }, history, context: 'Selection in a.ts:\n```\na\n```' },
};
const input = (more: Partial<TurnInput>): TurnInput => ({ turnId: 't', conversation: 'c', goal: '', context: '', history: [], zone: 'full', budget, ...more });

/** Whether the text of `begun` continues in `whole`: the same segments, of which only the last one may go on. */
function assertBegins(whole: readonly PromptSegment[], begun: readonly PromptSegment[], typed: string): void {
  const last = begun.at(-1);
  assert.ok(last, 'something was read');
  assert.deepEqual(whole.slice(0, begun.length - 1), begun.slice(0, -1));
  const same = whole[begun.length - 1];
  assert.equal(same?.control, last.control);
  assert.ok(same?.text.startsWith(last.text), `${JSON.stringify(last.text)} begins ${JSON.stringify(same?.text)}`);
  assert.ok(begun.map(({ text }) => text).join('').endsWith(typed));
}

suite('reading a prompt ahead', () => {
  for (const [family, chatTemplate] of Object.entries(templates)) {
    for (const [name, more] of Object.entries(inputs)) {
      test(`${family}, ${name}: the turn's first prompt begins with what was read, up to the words not yet typed`, async () => {
        const engine = new ScriptedEngine({ probabilities: [[1, 0], [1, 0]], replies: [{ text: 'There.' }] });
        const model = new LocalChatModel(engine, { ...loaded, chatTemplate });
        const tools = [echo(), echo('look', 'write')];
        const goal = 'Where is\nthe parser of  URLs, and why?';
        const stages = ['', 'Where', 'Where is\nthe parser', 'Where is\nthe parser of  URLs, and'];
        for (const typed of stages) assert.ok((await readAhead({ model, tools }, input({ ...more, goal: typed }), never))?.ok);
        const time = new FakeTime();
        for await (const event of runTurn({ model, tools, clock: time, timers: time, newId: () => 'id' }, input({ ...more, goal }), never)) assert.ok(event.type !== 'gate' || event.gate === 'answered');
        const first = [...engine.probed, ...engine.generated][0];
        assert.equal(engine.prefilled.length, stages.length);
        for (const [index, { prompt, conversation }] of engine.prefilled.entries()) {
          assert.equal(conversation, 'c');
          assertBegins(first?.prompt ?? [], prompt, stages[index] ?? '');
        }
      });
    }
  }

  test('what the loop asks first is the first prompt', async () => {
    const model = new ScriptedModel([[{ type: 'text', text: 'There.' }, { type: 'finished', stats: { queueMs: 0, restoreMs: 0, prefillMs: 0, decodeMs: 0, tokensIn: 1, tokensCached: 0, tokensOut: 1, kvBytes: 0, finish: 'stop' } }]]);
    const tools = [echo()];
    const turn = input({ goal: 'Where?', history: [{ role: 'system', content: 'old' }, ...history] });
    const time = new FakeTime();
    const events = runTurn({ model, tools, clock: time, timers: time, newId: () => 'id' }, turn, never);
    while (!(await events.next()).done);
    const { system, tools: offered, window } = firstPrompt(tools, turn);
    assert.deepEqual([model.requests[0]?.messages, model.requests[0]?.tools], [[system, ...window.messages], offered]);
    assert.equal(window.messages[window.goal]?.content, 'Where?');
    assert.deepEqual(model.requests[0]?.messages.map(({ role }) => role), ['system', 'user', 'assistant', 'tool', 'assistant', 'user']);
  });

  test('nothing is read of a prompt that the turn would condense, nor by a model that cannot', async () => {
    const engine = new ScriptedEngine({ replies: [] });
    const model = new LocalChatModel(engine, { ...loaded, contextSize: 4096, chatTemplate: templates.chatml });
    assert.equal(await readAhead({ model, tools: [] }, input({ context: 'x'.repeat(3000) }), never), undefined);
    assert.equal(engine.prefilled.length, 0);
    assert.ok((await readAhead({ model, tools: [] }, input({ context: 'x'.repeat(2000) }), never))?.ok);
    assert.equal(await readAhead({ model: new ScriptedModel([]), tools: [] }, input({}), never), undefined);
  });
});
