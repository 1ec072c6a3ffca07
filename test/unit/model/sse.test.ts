import { strict as assert } from 'node:assert';
import { OversizedLine, readEvents } from '../../../src/model/endpoint/sse.js';

async function read(...chunks: readonly (string | Uint8Array)[]): Promise<string[]> {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield await Promise.resolve(typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk);
  }
  const seen: string[] = [];
  for await (const event of readEvents(body())) seen.push(event);
  return seen;
}

suite('Server-sent events', () => {
  test('lines end with LF, CRLF or CR; fields other than data are skipped', async () => {
    assert.deepEqual(await read('data: a\n\n', 'event: x\ndata:b\r\n\r\n', ': note\rdata: c\r\rid: 7\n\n'), ['a', 'b', 'c']);
    assert.deepEqual(await read('data: one\ndata: two\n\n'), ['one\ntwo']);
  });

  test('cut at any byte, also between CR and LF and within a character, the events are the same', async () => {
    const whole = new TextEncoder().encode('data: {"größe":\r\ndata: 1}\r\n\r\ndata: [DONE]\r\n\r\n');
    for (let at = 1; at < whole.length; at++) {
      assert.deepEqual(await read(whole.subarray(0, at), whole.subarray(at)), ['{"größe":\n1}', '[DONE]'], `cut at ${at}`);
    }
  });

  test('a missing empty line at the end loses nothing', async () => {
    assert.deepEqual(await read('data: a'), ['a']);
    assert.deepEqual(await read('data: a\r\n'), ['a']);
    assert.deepEqual(await read(''), []);
  });

  test('a line, or an event of many lines, that does not end is refused', async () => {
    await assert.rejects(read('data: ', ...Array<string>(20).fill('x'.repeat(100_000))), OversizedLine);
    await assert.rejects(read(...Array<string>(2000).fill(`data: ${'x'.repeat(1000)}\n`)), OversizedLine);
  });
});
