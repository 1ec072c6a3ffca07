import { strict as assert } from 'node:assert';
import { createHmac, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeFooter, footerBytes, refusal } from '../../../../src/sidecar/snapshots/descriptor.js';
import { readSnapshot, sealSnapshot, verifySnapshot } from '../../../../src/sidecar/snapshots/snapshotFile.js';
import { chainHashes } from '../../../../src/sidecar/snapshots/tokenChain.js';
import { Folder, quiet, signal, snapshot, tokensOf } from './support.js';

suite('Snapshot format', () => {
  let folder: Folder;
  let path: string;
  const key = randomBytes(32);
  const stateBytes = 10_000;
  let good: Buffer;
  setup(async () => {
    folder = await Folder.make();
    path = join(folder.root, 'a.kv');
    await writeFile(path, randomBytes(stateBytes));
    await sealSnapshot(path, stateBytes, snapshot(), key, signal, quiet);
    good = await readFile(path);
  });
  teardown(() => folder.end());

  const codeOf = async (bytes: Buffer, by = key): Promise<string> => {
    await writeFile(path, bytes);
    const read = await readSnapshot(path, by);
    if (!read.ok) return read.error.code;
    const whole = await verifySnapshot(path, by, signal, quiet);
    return whole.ok ? 'ok' : whole.error.code;
  };

  test('what was written is read, and whole', async () => {
    const read = await readSnapshot(path, key);
    assert.ok(read.ok);
    const { state, ...rest } = read.value.descriptor;
    assert.deepEqual(rest, snapshot());
    assert.equal(state.bytes, stateBytes);
    assert.equal(await codeOf(good), 'ok');
  });

  test('another key opens nothing', async () => assert.equal(await codeOf(good, randomBytes(32)), 'snapshot.damaged'));

  test('cut at any place it is refused', async () => {
    for (let end = 0; end < good.length; end += end > stateBytes - 3 ? 1 : 997) assert.equal(await codeOf(good.subarray(0, end)), 'snapshot.damaged', `at ${end}`);
  });

  test('one bit flipped anywhere, it is refused', async () => {
    // 5 is coprime to 8: every byte of what is ours, at changing bits; a sample of the state.
    for (let bit = 0; bit < good.length * 8; bit += bit < stateBytes * 8 ? 4001 : 5) {
      const bytes = Buffer.from(good);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(await codeOf(bytes), 'snapshot.damaged', `bit ${bit}`);
    }
  }).timeout(60_000);

  test('longer, or with the end of another file, it is refused', async () => {
    assert.equal(await codeOf(Buffer.concat([good, Buffer.alloc(1)])), 'snapshot.damaged');
    assert.equal(await codeOf(Buffer.concat([Buffer.alloc(1), good])), 'snapshot.damaged');
    assert.equal(await codeOf(Buffer.concat([Buffer.alloc(stateBytes), good.subarray(stateBytes)])), 'snapshot.damaged');
  });

  test('sizes in the fixed part must fit the file', () => {
    const footer = (descriptorBytes: number, bytes: bigint): Buffer => {
      const it = Buffer.from(good.subarray(-footerBytes));
      it.writeUInt32LE(descriptorBytes, 12);
      it.writeBigUInt64LE(bytes, 16);
      return it;
    };
    const file = good.length;
    const text = file - stateBytes - footerBytes;
    assert.ok(decodeFooter(footer(text, BigInt(stateBytes)), file).ok);
    const wrong: [number, bigint][] = [
      [0xffff_ffff, BigInt(stateBytes)], [text, 0n], [text, 2n ** 64n - 1n], [text, 2n ** 63n], [text + 1, BigInt(stateBytes)], [0, BigInt(file)],
      [text, 2n ** 64n + BigInt(stateBytes) - 2n ** 64n + 1n], [file - footerBytes, 0n],
    ];
    for (const [descriptorBytes, bytes] of wrong) assert.equal(decodeFooter(footer(descriptorBytes, bytes), file).ok, false, `${descriptorBytes} ${bytes}`);
  });

  test('random ends, even signed ones, never get through and never throw', async () => {
    for (let round = 0; round < 400; round++) {
      const text = round % 2 === 0 ? randomBytes(round) : Buffer.from(JSON.stringify(mutated(round)));
      const state = 64;
      const footer = Buffer.alloc(footerBytes);
      Buffer.from('LOUPEKVS').copy(footer);
      footer.writeUInt32LE(1, 8);
      footer.writeUInt32LE(text.length, 12);
      footer.writeBigUInt64LE(BigInt(state), 16);
      createHmac('sha256', key).update(text).update(footer.subarray(0, 24)).digest().copy(footer, 24);
      assert.equal(await codeOf(Buffer.concat([randomBytes(state), text, footer])), 'snapshot.damaged', text.toString());
    }
  }).timeout(60_000);

  test('what belongs to something else is refused with the reason', () => {
    const mine = snapshot();
    const code = (now: typeof mine): string | undefined => {
      const found = refusal(mine, now);
      return found === undefined || found.ok ? undefined : found.error.code;
    };
    assert.equal(code(snapshot({ memory: 'other', tokens: 5 })), undefined);
    assert.equal(code(snapshot({ model: { ...mine.model, sha256: 'b'.repeat(64) } })), 'snapshot.otherModel');
    assert.equal(code(snapshot({ shape: '[1]' })), 'snapshot.otherModel');
    assert.equal(code(snapshot({ engine: 'loupe b2 cpu' })), 'snapshot.otherEngine');
    assert.equal(code(snapshot({ formatVersion: 4 })), 'snapshot.otherEngine');
    for (const kv of [{ ...mine.kv, keys: 'kv4' as const }, { ...mine.kv, values: 'f16' as const }, { ...mine.kv, windowF16: false }, { ...mine.kv, f16Rows: 0 }]) assert.equal(code(snapshot({ kv })), 'snapshot.otherFormat');
  });

  test('a chain hash depends on every token before it and on nothing after', () => {
    const tokens = tokensOf(30);
    const changed = tokens.with(15, 1);
    const [a, b] = [chainHashes(tokens, [10, 20, 30]), chainHashes(changed, [10, 20, 30])];
    assert.equal(a[0], b[0]);
    assert.notEqual(a[1], b[1]);
    assert.notEqual(a[2], b[2]);
    assert.deepEqual(chainHashes(tokens, [30]), [a[2]]);
  });
});

/** A descriptor with one thing wrong in it. */
function mutated(round: number): unknown {
  const whole: Record<string, unknown> = { ...snapshot(), state: { bytes: 64, sha256: '0'.repeat(64) } };
  const bad: unknown[] = [-1, 1.5, 2 ** 53, Number.MAX_VALUE, '', 'x'.repeat(400), null, [], {}, [[]], true];
  const names = [...Object.keys(whole), 'more'];
  const name = names[round % names.length] ?? 'more';
  if (name === 'f16Bytes' || name === 'createdAt') return { ...whole, [name]: -1 };
  const value = bad[Math.floor(round / names.length) % bad.length];
  // The content hash is wrong in any case; what is asked here is that nothing throws.
  return { ...whole, [name]: value };
}
