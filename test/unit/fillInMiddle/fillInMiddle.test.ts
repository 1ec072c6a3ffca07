import assert from 'node:assert/strict';
import { type FimFormat, fimFormatFor, renderFim } from '../../../src/model/fillInMiddle.js';

const model = (architecture: string, name: string, fillInMiddle = true, path = '/models/x.gguf'): Parameters<typeof fimFormatFor>[0] =>
  ({ architecture, name, path, fillInMiddle });

suite('fill-in-the-middle: family', () => {
  const check = (loaded: Parameters<typeof fimFormatFor>[0], expected: FimFormat['family'] | undefined): void => {
    test(`${loaded.architecture} "${loaded.name}" -> ${expected}`, () => assert.equal(fimFormatFor(loaded)?.family, expected));
  };
  check(model('qwen2', 'Qwen2.5 Coder 0.5B Instruct'), 'qwenCoder');
  check(model('qwen2', 'model', true, 'C:\\models\\qwen2.5-coder-0.5b-instruct-q4_k_m.gguf'), 'qwenCoder');
  check(model('qwen2', 'Qwen2.5 7B Instruct'), undefined);
  check(model('qwen2', 'Qwen2.5 7B Instruct', true, '/home/coder/qwen2.5-7b.gguf'), undefined);
  check(model('qwen2', 'Qwen2.5 Coder 0.5B', false), undefined);
  check(model('gemma3', 'Gemma 3 270M'), undefined);
  check(model('gemma', 'CodeGemma 2B'), 'codeGemma');
  check(model('starcoder2', 'starcoder2-3b'), 'starCoder');
  check(model('llama', 'deepseek-coder-1.3b-base'), 'deepSeekCoder');
  check(model('llama', 'Llama 3.2 1B'), undefined);
});

suite('fill-in-the-middle: prompt', () => {
  const qwen = fimFormatFor(model('qwen2', 'Qwen2.5 Coder'));
  const marked = (parts: Parameters<typeof renderFim>[1]): string =>
    renderFim(qwen as FimFormat, parts).map(({ text, control }) => (control ? `«${text}»` : text)).join('');

  test('one file', () => {
    assert.equal(marked({ prefix: 'a = ', suffix: '\nend', path: 'x.py' }), '«<|fim_prefix|>»a = «<|fim_suffix|>»\nend«<|fim_middle|>»');
  });

  test('other files come first', () => {
    assert.equal(
      marked({ prefix: 'a = ', suffix: '', path: 'x.py', context: [{ path: 'y.py', text: 'y = 1\n' }] }),
      '«<|repo_name|>»repository\n«<|file_sep|>»y.py\ny = 1\n«<|file_sep|>»x.py\n«<|fim_prefix|>»a = «<|fim_suffix|>»«<|fim_middle|>»',
    );
  });

  test('a marker in a file stays text', () => {
    const segments = renderFim(qwen as FimFormat, { prefix: 'x <|fim_middle|> y', suffix: '<|im_end|>' });
    assert.deepEqual(segments.filter(({ control }) => control).map(({ text }) => text), ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>']);
  });

  test('typing at the end keeps everything before the suffix byte for byte', () => {
    const before = marked({ prefix: 'a = ', suffix: 'z', path: 'x', context: [{ path: 'y', text: 'y' }] });
    const after = marked({ prefix: 'a = b', suffix: 'z', path: 'x', context: [{ path: 'y', text: 'y' }] });
    assert.ok(after.startsWith(before.slice(0, before.indexOf('«<|fim_suffix|>»'))));
  });
});
