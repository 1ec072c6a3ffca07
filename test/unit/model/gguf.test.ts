import { strict as assert } from 'node:assert';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGguf } from '../../../src/model/gguf.js';

const u32 = (value: number): Buffer => { const b = Buffer.alloc(4); b.writeUInt32LE(value); return b; };
const u64 = (value: number | bigint): Buffer => { const b = Buffer.alloc(8); b.writeBigUInt64LE(BigInt(value)); return b; };
const text = (value: string): Buffer => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

/** A tiny valid file: three keys, one f32 tensor of 4 x 2 elements. */
function smallFile(): Buffer {
  const header = Buffer.concat([
    Buffer.from('GGUF'), u32(3), u64(1), u64(3),
    text('general.architecture'), u32(8), text('gemma3'),
    text('gemma3.block_count'), u32(4), u32(18),
    text('tokenizer.ggml.tokens'), u32(9), u32(8), u64(5000), ...Array.from({ length: 5000 }, (_, i) => text(`t${i}`)),
    text('w'), u32(2), u64(4), u64(2), u32(0), u64(0),
  ]);
  const padding = Buffer.alloc((32 - (header.length % 32)) % 32);
  return Buffer.concat([header, padding, Buffer.alloc(32)]);
}

suite('GGUF header', () => {
  let folder = '';
  setup(async () => { folder = await mkdtemp(join(tmpdir(), 'loupe-gguf-')); });
  teardown(() => rm(folder, { recursive: true }));

  const check = async (content: Buffer): Promise<string> => {
    const path = join(folder, 'm.gguf');
    await writeFile(path, content);
    const result = await readGguf(path);
    return result.ok ? 'ok' : result.error.code;
  };

  test('reads metadata and tensors, and drops the vocabulary', async () => {
    const path = join(folder, 'm.gguf');
    await writeFile(path, smallFile());
    const result = await readGguf(path);
    assert.ok(result.ok);
    assert.equal(result.value.metadata.get('general.architecture'), 'gemma3');
    assert.equal(result.value.metadata.get('gemma3.block_count'), 18);
    assert.equal(result.value.metadata.has('tokenizer.ggml.tokens'), false);
    assert.deepEqual(result.value.tensors, [{ name: 'w', dimensions: [4, 2], type: 0, offset: 0 }]);
  });

  test('calls a file cut anywhere truncated, and one of other bytes no GGUF', async () => {
    const whole = smallFile();
    assert.equal(await check(whole), 'ok');
    for (let i = 1; i < 20; i++) {
      const cut = Math.floor((whole.length * i) / 20);
      assert.equal(await check(whole.subarray(0, cut)), 'model.truncated', `cut at ${cut}`);
    }
    assert.equal(await check(whole.subarray(0, whole.length - 1)), 'model.truncated');
    assert.equal(await check(Buffer.alloc(0)), 'model.notGguf');
    assert.equal(await check(Buffer.from('PK\x03\x04 this is a zip file')), 'model.notGguf');
  });

  test('does not believe impossible counts and lengths', async () => {
    const head = (version: number, tensors: bigint, keys: bigint): Buffer =>
      Buffer.concat([Buffer.from('GGUF'), u32(version), u64(tensors), u64(keys), Buffer.alloc(64)]);
    assert.equal(await check(head(3, 2n ** 63n, 1n)), 'model.notGguf');
    assert.equal(await check(head(3, 1n, 2n ** 40n)), 'model.notGguf');
    assert.equal(await check(head(99, 1n, 1n)), 'model.notGguf');
    const longKey = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(0), u64(1), u64(2 ** 50), Buffer.alloc(64)]);
    assert.equal(await check(longKey), 'model.truncated');
    const nested = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(0), u64(1), text('k'), u32(9), u32(9), u64(1), Buffer.alloc(64)]);
    assert.equal(await check(nested), 'model.notGguf');
  });

  test('says so when there is no such file', async () => {
    const result = await readGguf(join(folder, 'absent.gguf'));
    assert.equal(result.ok ? '' : result.error.code, 'model.notFound');
  });
});
