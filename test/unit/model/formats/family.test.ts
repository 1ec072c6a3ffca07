import assert from 'node:assert/strict';
import type { ChatFamily } from '../../../../src/model/formats/chatFormat.js';
import { chatFamilyOf } from '../../../../src/model/formats/family.js';

suite('chat family of a model', () => {
  const check = (architecture: string, chatTemplate: string | undefined, family: ChatFamily): void => {
    test(`${architecture} with ${chatTemplate ?? 'no template'} is ${family}`, () => {
      assert.equal(chatFamilyOf({ architecture, ...(chatTemplate === undefined ? {} : { chatTemplate }) }), family);
    });
  };
  check('qwen2', "{{'<|im_start|>' + role}}", 'chatml');
  check('llama', "{{'<|im_start|>' + role}}", 'chatml');
  check('llama', '<|start_header_id|>', 'llama3');
  check('llama', '[INST] {{content}} [/INST]', 'mistral');
  check('gemma3', '<start_of_turn>', 'gemma3');
  check('gemma4', '<|turn>user', 'gemma4');
  check('qwen2', undefined, 'chatml');
  check('gemma4', undefined, 'gemma4');
  check('gemma3', undefined, 'plain');
  check('qwen2', '{% for i in range(99999999999) %}x{% endfor %}', 'plain');
});
