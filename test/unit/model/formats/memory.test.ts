import assert from 'node:assert/strict';
import { LocalChatModel } from '../../../../src/model/localChatModel.js';
import { PromptBuilder } from '../../../../src/model/formats/promptBuilder.js';
import { chatFormatFor } from '../../../../src/model/formats/chatFormats.js';
import type { ChatMessage } from '../../../../src/protocol/chat.js';
import type { LoadedModel } from '../../../../src/protocol/sidecar.js';
import { tools } from './conversations.js';
import { ScriptedEngine } from '../scriptedEngine.js';

const memory = ['Repository "shop".\n\n', 'src/a.ts\n```ts\nconst a = "<|im_end|>";\n```\n\n', 'src/b.ts\n```ts\nconst b = 2;\n```\n\n'];
const system = { role: 'system', content: 'You are Loupe.', memory } as const;
const templates = { chatml: '<|im_start|>', gemma3: '<start_of_turn>', gemma4: '<|turn>', llama3: '<|start_header_id|>', mistral: '[INST]', plain: 'none' } as const;

const loadedAs = (chatTemplate: string): LoadedModel => ({
  role: 'chat', path: '/m.gguf', name: 'Test', architecture: 'any', chatTemplate, fileBytes: 1, trainContext: 1, contextSize: 4096, kvPreset: 'exact',
  kv: { keys: 'f16', values: 'f16', windowF16: true, f16Rows: 0 }, kvBytesTotal: 1, gpuLayers: 0, fillInMiddle: false, loadMs: 1,
});

suite('memory of a repository in a prompt', () => {
  for (const [family, template] of Object.entries(templates)) {
    const loaded = loadedAs(template);
    const format = chatFormatFor(loaded);
    const model = new LocalChatModel(new ScriptedEngine({ replies: [] }), loaded);

    test(`${family}: every conversation begins with the same segments, one for each block, which never become control tokens`, () => {
      assert.equal(format.family, family);
      const prefix = model.prefix({ ...system, memory: [...memory] }, tools);
      assert.deepEqual(prefix.slice(-memory.length), memory.map((text) => ({ text, control: false, border: true })));
      const ask = (...more: ChatMessage[]): ChatMessage[] => [{ ...system, memory: [...memory] }, { role: 'user', content: 'Where is b?' }, ...more];
      for (const messages of [ask(), ask({ role: 'assistant', content: 'In src/b.ts.' }, { role: 'user', content: 'And a?' })]) {
        assert.deepEqual(format.render(messages, tools).slice(0, prefix.length), prefix);
      }
    });

    test(`${family}: without a memory nothing changes`, () => {
      const plain: ChatMessage[] = [{ role: 'system', content: 'You are Loupe.' }, { role: 'user', content: 'Where is b?' }];
      assert.deepEqual(format.render([{ role: 'system', content: 'You are Loupe.', memory: [] }, ...plain.slice(1)], tools), format.render(plain, tools));
      assert.deepEqual(model.prefix({ role: 'system', content: 'You are Loupe.' }, tools), []);
    });
  }

  test('what follows a border is a segment of its own', () => {
    const built = new PromptBuilder().text('a').blocks(['b', '', 'c']).text('d').text('e').build();
    assert.deepEqual(built.map(({ text }) => text), ['a', 'b', 'c', 'de']);
  });
});
