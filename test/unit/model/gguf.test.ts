import { strict as assert } from 'node:assert';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGguf } from '../../../src/model/gguf.js';
import { ggufFile, qwenLike, text, u32, u64 } from '../../support/model/ggufBuilder.js';

const rightlyRefused = new Set(['model.notGguf', 'model.truncated', 'model.unsupported']);

suite('GGUF header', () => {
  let folder = '';
  let file = '';
  setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loupe-gguf-'));
    file = join(folder, 'm.gguf');
  });
  teardown(() => rm(folder, { recursive: true }));

  const check = async (content: Buffer): Promise<string> => {
    await writeFile(file, content);
    const result = await readGguf(file);
    return result.ok ? 'ok' : result.error.code;
  };
  const message = async (content: Buffer): Promise<string> => {
    await writeFile(file, content);
    const result = await readGguf(file);
    return result.ok ? 'ok' : result.error.message;
  };
  const head = (tensors: number | bigint, entries: number | bigint, ...rest: Buffer[]): Buffer =>
    Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors), u64(entries), ...rest, Buffer.alloc(64)]);

  test('reads metadata, tensors and fill-in-the-middle tokens, and drops the vocabulary', async () => {
    await writeFile(file, qwenLike());
    const result = await readGguf(file);
    assert.ok(result.ok);
    const { metadata, tensors, vocabularySize, fillInMiddleTokens, dataOffset } = result.value;
    assert.equal(metadata.get('general.architecture'), 'qwen2');
    assert.equal(metadata.get('qwen2.block_count'), 2);
    assert.equal(metadata.has('tokenizer.ggml.tokens'), false);
    assert.equal(vocabularySize, 5003);
    assert.deepEqual([...fillInMiddleTokens], ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>']);
    assert.deepEqual(tensors[1], { name: 'output_norm.weight', dimensions: [64], type: 0, offset: 544, bytes: 256 });
    assert.equal(dataOffset % 32, 0);
  });

  test('a file cut anywhere is truncated, in the header as in the data', async () => {
    const whole = qwenLike();
    assert.equal(await check(whole), 'ok');
    for (let i = 1; i < 40; i++) {
      const cut = Math.floor((whole.length * i) / 40);
      assert.equal(await check(whole.subarray(0, cut)), 'model.truncated', `cut at ${cut}`);
    }
    for (const cut of [1, 3, 4, 5, 23, whole.length - 1]) assert.equal(await check(whole.subarray(0, cut)), 'model.truncated', `cut at ${cut}`);
  });

  test('a flipped byte is either harmless or refused, never a crash', async () => {
    const whole = qwenLike(20);
    const results = new Map<string, number>();
    for (let at = 0; at < whole.length - 800; at++) {
      for (const bit of [0x01, 0x80]) {
        const broken = Buffer.from(whole);
        broken[at] = (broken[at] ?? 0) ^ bit;
        const code = await check(broken);
        assert.ok(code === 'ok' || rightlyRefused.has(code), `byte ${at}: ${code}`);
        results.set(code, (results.get(code) ?? 0) + 1);
      }
    }
    assert.ok((results.get('model.notGguf') ?? 0) > 100, `refused: ${JSON.stringify([...results])}`);
  }).timeout(20_000);

  test('counts and lengths are not believed', async () => {
    assert.equal(await check(head(2n ** 63n, 1n)), 'model.notGguf');
    assert.equal(await check(head(1, 2n ** 40n)), 'model.notGguf');
    assert.equal(await check(head(0, 1, u64(2n ** 50n))), 'model.notGguf');
    assert.equal(await check(head(0, 1, text('k'), u32(8), u64(2n ** 63n))), 'model.notGguf');
    assert.equal(await check(head(0, 1, text('k'), u32(9), u32(9), u64(1))), 'model.notGguf', 'nested array');
    assert.equal(await check(head(0, 1, text('k'), u32(9), u32(4), u64(2n ** 62n))), 'model.notGguf', 'array length');
    assert.equal(await check(head(0, 1, text('k'), u32(9), u32(4), u64(1_000_000))), 'model.truncated', 'array past the end');
    assert.equal(await check(head(0, 1, text('k'), u32(77))), 'model.notGguf', 'unknown value type');
  });

  test('memory stays bounded when a sparse file really has the gigabytes that it claims', async () => {
    // 4,096 strings of 4 MB each: 16 GB if they were kept.
    const strings = Buffer.concat([text('k'), u32(9), u32(8), u64(4096)]);
    const one = u64(4 * 1024 * 1024);
    const blocks: Buffer[] = [];
    for (let i = 0; i < 6; i++) blocks.push(one, Buffer.alloc(4 * 1024 * 1024, 0x61));
    await writeFile(file, head(0, 1, strings, ...blocks));
    await truncate(file, 20 * 1024 ** 3);
    const before = process.memoryUsage().rss;
    const result = await readGguf(file);
    assert.equal(result.ok ? 'ok' : result.error.code, 'model.notGguf');
    assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
  });

  test('tensors must lie one after the other, inside the file, in a shape that exists', async () => {
    const tensor = (name: string, dimensions: readonly (number | bigint)[], type: number, offset: number | bigint): Buffer =>
      Buffer.concat([text(name), u32(dimensions.length), ...dimensions.map(u64), u32(type), u64(offset)]);
    assert.equal(await check(head(1, 0, tensor('a', [8], 0, 0))), 'ok');
    assert.equal(await check(head(1, 0, tensor('a', [8], 0, 32))), 'model.notGguf', 'gap in front');
    assert.equal(await check(head(2, 0, tensor('a', [8], 0, 0), tensor('b', [8], 0, 0))), 'model.notGguf', 'overlap');
    assert.equal(await check(head(2, 0, tensor('a', [8], 0, 0), tensor('a', [8], 0, 32))), 'model.notGguf', 'same name');
    assert.equal(await check(head(1, 0, tensor('a', [2n ** 62n, 4], 0, 0))), 'model.notGguf', 'overflow');
    assert.equal(await check(head(1, 0, tensor('a', [33], 8, 0))), 'model.notGguf', 'part of a block');
    assert.equal(await check(head(1, 0, tensor('a', [1, 1, 1, 1, 1], 0, 0))), 'model.notGguf', 'five dimensions');
    assert.equal(await check(head(1, 0, tensor('a', [8], 31, 0))), 'model.unsupported', 'withdrawn type');
    assert.equal(await check(head(1, 0, tensor('a', [1e12], 0, 0))), 'model.truncated', 'larger than the file');
  });

  test('says what the file is instead', async () => {
    assert.match(await message(Buffer.from('<!DOCTYPE html><html><body>Sign in</body></html>')), /web page/);
    assert.match(await message(Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00')), /Git LFS/);
    assert.match(await message(Buffer.alloc(0)), /empty/);
    assert.match(await message(Buffer.from('PK\x03\x04 this is a zip file')), /GGUF mark/);
    assert.match(await message(Buffer.concat([Buffer.from('GGUF'), u32(1), Buffer.alloc(16)])), /version 1/);
    assert.match(await message(Buffer.concat([Buffer.from('GGUF'), u32(0x03000000), Buffer.alloc(16)])), /big-endian/);
    assert.match(await message(ggufFile([['general.alignment', 3]], [])), /alignment/);
    assert.equal((await message(head(0, 1, text('k\u001b[31m\u202e'), u32(9), u32(4), u64(2n ** 40n)))).includes('\u001b'), false);
  });

  test('a missing file and a folder are told apart', async () => {
    const missing = await readGguf(join(folder, 'absent.gguf'));
    assert.equal(missing.ok ? '' : missing.error.code, 'model.notFound');
    const directory = await readGguf(folder);
    assert.equal(directory.ok ? '' : directory.error.code, 'model.notGguf');
  });
});
