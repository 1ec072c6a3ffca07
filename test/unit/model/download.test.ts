import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DownloadEntry, type DownloadProgress, downloadModel, keptBytes } from '../../../src/model/download.js';
import type { FetchPartDeps } from '../../../src/model/downloadPart.js';
import { verifyModel } from '../../../src/model/verify.js';
import type { Result } from '../../../src/base/result.js';
import { qwenLike } from '../../support/model/ggufBuilder.js';
import { type ScriptedServer, type SeenRequest, scriptedServer } from '../../support/model/scriptedServer.js';

const content = qwenLike(60_000);
const sha256 = createHash('sha256').update(content).digest('hex');
const quick: FetchPartDeps = { retryMs: 1, freeBytes: () => Promise.resolve(1e15) };

/** What the server does with the n-th request for the file. */
interface Behaviour {
  /** Cut the connection after this many bytes of the response. */
  readonly cutAt?: number;
  readonly ignoreRange?: boolean;
  readonly etag?: string;
  readonly body?: Buffer;
  readonly wrongRange?: boolean;
}

suite('Model download', () => {
  let folder = '';
  let server: ScriptedServer;
  let behaviours: Behaviour[] = [];
  let entry: DownloadEntry;
  let mirror = '';

  setup(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loupe-download-'));
    behaviours = [];
    mirror = '';
    server = await scriptedServer((seen, response) => serve(seen, response, behaviours.shift() ?? {}));
    entry = { name: 'Tiny', file: 'tiny.gguf', sizeBytes: content.length, sha256, url: `${server.origin}/tiny.gguf` };
  });
  teardown(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });

  function serve(seen: SeenRequest, response: ServerResponse, { cutAt, ignoreRange, etag = '"v1"', body = content, wrongRange }: Behaviour): void {
    const from = Number(/^bytes=(\d+)-$/.exec(seen.headers.range ?? '')?.[1] ?? 0);
    const partial = from > 0 && !ignoreRange && seen.headers['if-range'] === etag;
    const start = partial ? from : 0;
    const rest = body.subarray(start);
    response.writeHead(partial ? 206 : 200, {
      etag, 'content-type': 'application/octet-stream', 'content-length': rest.length,
      ...(partial ? { 'content-range': `bytes ${wrongRange ? 0 : start}-${body.length - 1}/${body.length}` } : {}),
    });
    if (cutAt === undefined) response.end(rest);
    else {
      // Only then: the end of a connection takes with it what the client has not read yet.
      response.write(rest.subarray(0, cutAt));
      void whenPartHas(start + cutAt).then(() => response.destroy());
    }
  }

  const download = (more: FetchPartDeps = {}, onProgress: (p: DownloadProgress) => void = () => undefined, signal = new AbortController().signal): Promise<Result<string>> =>
    downloadModel(entry, { directory: folder, mirror }, onProgress, signal, { ...quick, ...more });
  const codeOf = (result: Result<string>): string => (result.ok ? 'ok' : result.error.code);
  const messageOf = (result: Result<string>): string => (result.ok ? 'ok' : result.error.message);
  const target = (): string => join(folder, 'tiny.gguf');
  const ranges = (): (string | undefined)[] => server.requests.map((r) => r.headers.range);
  const whenPartHas = async (bytes: number): Promise<void> => {
    const deadline = Date.now() + 5000;
    while (Date.now() < deadline && (await stat(`${target()}.part`).catch(() => ({ size: -1 }))).size < bytes) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const part = async (length: number, version = '"v1"'): Promise<void> => {
    await writeFile(`${target()}.part`, content.subarray(0, length));
    await writeFile(`${target()}.part.json`, JSON.stringify({ url: entry.url, version }));
  };

  test('arrives whole, with progress, and leaves nothing else behind', async () => {
    const phases: DownloadProgress[] = [];
    const result = await download({}, (p) => phases.push(p));
    assert.deepEqual(result, { ok: true, value: target() });
    assert.ok((await readFile(target())).equals(content));
    assert.deepEqual((await readdir(folder)).sort(), ['.tiny.gguf.sha256.json', 'tiny.gguf']);
    assert.deepEqual(phases.at(-1), { phase: 'done', doneBytes: content.length, totalBytes: content.length, sha256 });
    const fetched = phases.filter((p) => p.phase === 'download').map((p) => p.doneBytes);
    assert.deepEqual([fetched[0], fetched.at(-1)], [0, content.length]);
    assert.ok(phases.some((p) => p.phase === 'verify'));
  });

  test('a file that is there and right is not fetched again', async () => {
    await download();
    assert.equal(codeOf(await download()), 'ok');
    assert.equal(server.requests.length, 1);
  });

  for (const percent of [1, 50, 99]) {
    test(`cut at ${percent} %: goes on from there by itself`, async () => {
      const cutAt = Math.floor((content.length * percent) / 100);
      behaviours = [{ cutAt }];
      assert.equal(codeOf(await download()), 'ok');
      assert.ok((await readFile(target())).equals(content));
      assert.deepEqual(ranges(), [undefined, `bytes=${cutAt}-`]);
    });

    test(`cancelled at ${percent} %: what arrived is kept, the next start goes on there`, async () => {
      const controller = new AbortController();
      const cutAt = Math.floor((content.length * percent) / 100);
      server.answer = (_, response) => {
        response.writeHead(200, { etag: '"v1"', 'content-length': content.length });
        response.write(content.subarray(0, cutAt));
        void whenPartHas(cutAt).then(() => controller.abort());
      };
      assert.equal(codeOf(await download({}, () => undefined, controller.signal)), 'download.cancelled');
      const kept = (await stat(`${target()}.part`)).size;
      assert.equal(kept, cutAt);
      assert.equal(await keptBytes(entry, folder), kept);
      await assert.rejects(stat(target()));
      server.answer = (seen, response) => serve(seen, response, {});
      assert.equal(codeOf(await download()), 'ok');
      assert.equal(ranges().at(-1), `bytes=${kept}-`);
      assert.ok((await readFile(target())).equals(content));
    });
  }

  test('a server that ignores ranges: from the start, and still right', async () => {
    await part(1000);
    behaviours = [{ ignoreRange: true }];
    assert.equal(codeOf(await download()), 'ok');
    assert.ok((await readFile(target())).equals(content));
  });

  test('another version of the file by now: from the start, no mixture', async () => {
    await writeFile(`${target()}.part`, Buffer.alloc(5000, 7));
    await writeFile(`${target()}.part.json`, JSON.stringify({ url: entry.url, version: '"old"' }));
    assert.equal(codeOf(await download()), 'ok');
    assert.ok((await readFile(target())).equals(content));
  });

  test('a part that nobody knows the origin of is not trusted', async () => {
    await writeFile(`${target()}.part`, Buffer.alloc(5000, 7));
    assert.equal(codeOf(await download()), 'ok');
    assert.deepEqual(ranges(), [undefined]);
  });

  test('another range than the one asked for: from the start', async () => {
    await part(1000);
    behaviours = [{ wrongRange: true }];
    assert.equal(codeOf(await download()), 'ok');
    assert.deepEqual(ranges(), ['bytes=1000-', undefined]);
  });

  test('a wrong length is refused before anything is written', async () => {
    behaviours = [{ body: content.subarray(0, 5000) }];
    const result = await download();
    assert.equal(codeOf(result), 'download.failed');
    assert.match(messageOf(result), /another file by now/);
    assert.deepEqual(await readdir(folder), []);
  });

  test('more than was announced is refused', async () => {
    server.answer = (_, response) => {
      response.writeHead(200, { etag: '"v1"' });
      response.end(Buffer.concat([content, Buffer.from('more')]));
    };
    assert.match(messageOf(await download()), /More arrived/);
    await assert.rejects(stat(target()));
  });

  test('wrong content is thrown away, and an older file stays as it was', async () => {
    await writeFile(target(), 'older file');
    const other = Buffer.from(content);
    other[other.length - 1] = 1;
    behaviours = [{ body: other }];
    assert.equal(codeOf(await download()), 'model.hashMismatch');
    assert.equal(await readFile(target(), 'utf8'), 'older file');
    assert.deepEqual(await readdir(folder), ['tiny.gguf']);
    assert.equal(codeOf(await download()), 'ok');
  });

  test('without a published hash the header is checked, and the hash is told', async () => {
    entry = { ...entry, sha256: null };
    let told: string | undefined;
    assert.equal(codeOf(await download({}, (p) => (told = p.sha256 ?? told))), 'ok');
    assert.equal(told, sha256);
    await rm(target());
    behaviours = [{ body: Buffer.alloc(content.length, 65) }];
    assert.equal(codeOf(await download()), 'model.notGguf');
  });

  test('disk full while writing: told as that, what was there stays, and it goes on later', async () => {
    await writeFile(target(), 'older file');
    let written = 0;
    const result = await download({
      write: async (handle, chunk, position) => {
        if (written > 100_000) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        written += (await handle.write(chunk, 0, chunk.length, position)).bytesWritten;
      },
    });
    assert.equal(codeOf(result), 'download.diskFull');
    assert.equal(server.requests.length, 1, 'a full disk is not tried again');
    assert.equal(await readFile(target(), 'utf8'), 'older file');
    assert.equal(codeOf(await download()), 'ok');
    assert.equal(ranges().at(-1), `bytes=${written}-`);
  });

  test('too little space is said before anything is fetched', async () => {
    const result = await download({ freeBytes: () => Promise.resolve(1000) });
    assert.equal(codeOf(result), 'download.diskFull');
    assert.match(messageOf(result), /more than is free/);
    assert.equal(server.requests.length, 0);
  });

  test('gives up after attempts that bring nothing, and says that what arrived is kept', async () => {
    server.answer = (_, response) => void response.destroy();
    const result = await download();
    assert.match(messageOf(result), /stopped.*kept/);
    assert.equal(server.requests.length, 4);
  });

  test('a connection that goes silent is tried again', async () => {
    let first = true;
    server.answer = (seen, response) => {
      if (!first) return serve(seen, response, {});
      first = false;
      response.writeHead(200, { etag: '"v1"', 'content-length': content.length });
      response.write(content.subarray(0, 3000));
    };
    assert.equal(codeOf(await download({ stallMs: 100 })), 'ok');
    assert.deepEqual(ranges(), [undefined, 'bytes=3000-']);
  });

  test('refusals, web pages and redirects into the open are errors with a next step', async () => {
    for (const [status, headers, message] of [
      [404, {}, /status 404/], [403, {}, /status 403/], [200, { 'content-type': 'text/html' }, /web page/],
      [302, { location: 'http://example.com/tiny.gguf' }, /without encryption/], [302, { location: 'file:///etc/passwd' }, /without encryption/], [302, { location: '/tiny.gguf' }, /circle/],
    ] as const) {
      server.answer = (_, response) => { response.writeHead(status, headers); response.end('x'); };
      const result = await download();
      assert.equal(codeOf(result), 'download.failed');
      assert.match(messageOf(result), message);
      assert.ok(!result.ok && result.error.next.length > 10);
    }
    entry = { ...entry, url: 'http://example.com/tiny.gguf' };
    assert.match(messageOf(await download()), /without encryption/);
  });

  test('a mirror is asked for the same path below its own, and checked like the hub', async () => {
    mirror = `${server.origin}/hub/`;
    entry = { ...entry, url: 'https://hub.example/owner/repository/resolve/main/tiny.gguf' };
    assert.equal(codeOf(await download()), 'ok');
    assert.equal(server.requests[0]?.path, '/hub/owner/repository/resolve/main/tiny.gguf');
    await rm(target());
    const other = Buffer.from(content);
    other[other.length - 1] = 1;
    behaviours = [{ body: other }];
    const result = await download();
    assert.equal(codeOf(result), 'model.hashMismatch');
    assert.ok(!result.ok && result.error.next.includes(new URL(server.origin).host), 'the mirror is named');
    assert.deepEqual((await readdir(folder)).filter((name) => name.endsWith('.gguf') || name.includes('.part')), []);
  });

  test('a mirror in the open, with a password, or that is no address is refused before anything is asked', async () => {
    for (const [address, message] of [
      ['http://mirror.example.com', /neither https nor on this machine/], ['ftp://127.0.0.1/', /neither https/],
      ['https://user:secret@mirror.example.com', /password/], ['mirror', /not an address/],
    ] as const) {
      mirror = address;
      const result = await download();
      assert.equal(codeOf(result), 'download.failed');
      assert.match(messageOf(result), message);
      assert.doesNotMatch(messageOf(result), /secret/);
      assert.ok(!result.ok && result.error.next.includes('loupe.model.mirror'));
    }
    assert.equal(server.requests.length, 0);
  });

  test('a redirect is followed', async () => {
    server.answer = (seen, response) => {
      if (seen.path === '/real') return serve(seen, response, {});
      response.writeHead(302, { location: '/real' });
      response.end();
    };
    assert.equal(codeOf(await download()), 'ok');
  });

  test('two at once fetch the file once', async () => {
    const waiting: string[] = [];
    const both = await Promise.all([download({}, (p) => waiting.push(p.phase)), download({}, (p) => waiting.push(p.phase))]);
    assert.deepEqual(both.map(codeOf), ['ok', 'ok']);
    assert.equal(server.requests.length, 1);
    assert.ok(waiting.includes('waiting'));
    assert.equal((await readdir(folder)).some((name) => name.includes('.lock')), false);
  });

  test('the lock of a process that died is taken over', async () => {
    const lock = `${target()}.lock`;
    await writeFile(lock, '1 gone');
    const old = new Date(Date.now() - 60_000);
    await utimes(lock, old, old);
    assert.equal(codeOf(await download()), 'ok');
    assert.deepEqual((await readdir(folder)).sort(), ['.tiny.gguf.sha256.json', 'tiny.gguf']);
  });

  test('a model without an address says what to do instead', async () => {
    const { url: _, ...rest } = entry;
    entry = rest;
    const result = await download();
    assert.match(result.ok ? '' : result.error.next, /Choose a GGUF File/);
  });
});

suite('Model verification', () => {
  let folder = '';
  setup(async () => { folder = await mkdtemp(join(tmpdir(), 'loupe-verify-')); });
  teardown(() => rm(folder, { recursive: true }));
  const { signal } = new AbortController();

  test('reads the file once, then only after a change; finds every flipped byte', async () => {
    const file = join(folder, 'm.gguf');
    await writeFile(file, content);
    let reads = 0;
    const check = async (): Promise<string> => {
      const result = await verifyModel(file, sha256, signal, (done, total) => (reads += Number(done === total)));
      return result.ok ? 'ok' : result.error.code;
    };
    assert.deepEqual([await check(), await check(), reads], ['ok', 'ok', 1]);
    for (const at of [0, 1000, content.length - 1]) {
      const flipped = Buffer.from(content);
      flipped[at] = (flipped[at] ?? 0) ^ 0x10;
      await writeFile(file, flipped);
      await utimes(file, new Date(), new Date(Date.now() + at + 1000));
      assert.equal(await check(), 'model.hashMismatch', `byte ${at}`);
    }
    for (let i = 0; i < 20; i++) {
      await writeFile(file, content.subarray(0, Math.floor((content.length * i) / 20)));
      assert.equal(await check(), 'model.hashMismatch', `cut at ${i} of 20`);
    }
  });

  test('a file in a folder of others is remembered elsewhere, and only there', async () => {
    const records = join(folder, 'records');
    const theirs = join(folder, 'theirs');
    await mkdir(theirs);
    const file = join(theirs, 'm.gguf');
    await writeFile(file, content);
    let reads = 0;
    const check = async (): Promise<boolean> => (await verifyModel(file, sha256, signal, (done, total) => (reads += Number(done === total)), records)).ok;
    assert.deepEqual([await check(), await check(), reads], [true, true, 1]);
    assert.deepEqual(await readdir(theirs), ['m.gguf']);
    assert.equal((await readdir(records)).length, 1);
  });

  test('a damaged record only costs time; a missing file is an error', async () => {
    const file = join(folder, 'm.gguf');
    await writeFile(file, content);
    await writeFile(join(folder, '.m.gguf.sha256.json'), '{');
    assert.equal((await verifyModel(file, sha256, signal)).ok, true);
    const missing = await verifyModel(join(folder, 'absent'), sha256, signal);
    assert.equal(missing.ok ? '' : missing.error.code, 'model.notFound');
    await rm(join(folder, '.m.gguf.sha256.json'));
    const cancelled = await verifyModel(file, sha256, AbortSignal.abort());
    assert.equal(cancelled.ok ? '' : cancelled.error.code, 'cancelled');
  });
});
