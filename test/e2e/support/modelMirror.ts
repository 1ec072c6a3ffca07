import { createReadStream, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { once } from 'node:events';
import { type ScriptedServer, scriptedServer } from '../../support/model/scriptedServer.js';

export interface ModelMirror extends ScriptedServer {
  /** Bytes of a file after which a connection goes silent. Default: none. */
  holdAt: number;
}

/**
 * Serves the test models as a mirror of the hub would, with ranges. Files that are no test model exist here too, with the wrong
 * content: `sizes` says how long they are.
 */
export async function modelMirror(sizes: Readonly<Record<string, number>>): Promise<ModelMirror> {
  const state = { holdAt: Infinity };
  const server = await scriptedServer(async ({ path, headers }, response) => {
    const name = basename(path);
    const file = join(process.env['LOUPE_CACHE'] ?? '', 'models', name);
    const wrong = sizes[name];
    const size = wrong ?? statSync(file).size;
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
    response.writeHead(from > 0 ? 206 : 200, {
      'etag': '"1"', 'accept-ranges': 'bytes', 'content-length': size - from,
      ...(from > 0 ? { 'content-range': `bytes ${from}-${size - 1}/${size}` } : {}),
    });
    let sent = from;
    const chunks = wrong === undefined ? createReadStream(file, { start: from, highWaterMark: 1 << 20 }) : zeros(size - from);
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      if (sent >= state.holdAt) await once(response, 'close');
      if (response.destroyed) return;
      sent += chunk.length;
      if (!response.write(chunk)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
    response.end();
  });
  return Object.defineProperty(server as ModelMirror, 'holdAt', { get: () => state.holdAt, set: (bytes: number) => { state.holdAt = bytes; } });
}

function* zeros(bytes: number): Generator<Buffer> {
  const block = Buffer.alloc(1 << 20);
  for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, Math.min(left, block.length));
}
