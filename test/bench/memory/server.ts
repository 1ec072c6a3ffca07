import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { PromptSegment } from '../../../src/protocol/sidecar.js';
import { modelFile } from '../../support/sidecar/harness.js';
import { type LlamaServer, startLlamaServer } from '../../support/model/llamaServer.js';

export interface ServerAnswer { readonly text: string; readonly firstMs: number; readonly evaluated: number; readonly cached: number }

const apiKey = 'bench';
const slotFile = 'repository.bin';

/** llama.cpp's own server, with its prompt cache and its saved slots, f16, on the same model and text. */
export class PlainServer {
  private constructor(private server: LlamaServer, private readonly start: () => Promise<LlamaServer>, private readonly slots: string) {}

  static async open(binary: string, { contextSize, threads }: { readonly contextSize: number; readonly threads: number }): Promise<PlainServer> {
    const slots = await mkdtemp(join(tmpdir(), 'loupe-slots-'));
    const start = (): Promise<LlamaServer> =>
      startLlamaServer({ binary, model: modelFile('qwen'), contextSize, apiKey, more: ['--threads', String(threads), '--flash-attn', 'on', '--slot-save-path', `${slots}/`] });
    return new PlainServer(await start(), start, slots);
  }

  /** The text as one: here a token's text in a file would become that token, which these repositories do not have. */
  async ask(prompt: readonly PromptSegment[], maxTokens: number): Promise<ServerAnswer> {
    const began = performance.now();
    const response = await this.post('/completion', { prompt: prompt.map(({ text }) => text).join(''), n_predict: maxTokens, temperature: 0, cache_prompt: true, stream: true });
    let firstMs = Number.NaN;
    let said = '';
    let last: { timings?: { prompt_n: number; cache_n?: number } } = {};
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      if (!line.startsWith('data: ')) continue;
      if (Number.isNaN(firstMs)) firstMs = performance.now() - began;
      const event = JSON.parse(line.slice('data: '.length)) as typeof last & { content?: string };
      said += event.content ?? '';
      last = event;
    }
    return { text: said, firstMs, evaluated: last.timings?.prompt_n ?? Number.NaN, cached: last.timings?.cache_n ?? Number.NaN };
  }

  /** Bytes of the file. */
  async save(): Promise<number> {
    await text(await this.post('/slots/0?action=save', { filename: slotFile }));
    return (await stat(join(this.slots, slotFile))).size;
  }

  /** Milliseconds from the call to the answer. */
  async restore(): Promise<number> {
    const began = performance.now();
    await text(await this.post('/slots/0?action=restore', { filename: slotFile }));
    return performance.now() - began;
  }

  async restart(): Promise<void> {
    await this.server.stop();
    this.server = await this.start();
  }

  async end(): Promise<void> {
    await this.server.stop();
    await rm(this.slots, { recursive: true, force: true });
  }

  /** Not by `fetch`, which gives up after five minutes of silence: as long as it may take to read the prompt. */
  private async post(path: string, body: unknown): Promise<IncomingMessage> {
    const call = request(this.server.origin + path, { method: 'POST', agent: false, headers: { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` } });
    call.end(JSON.stringify(body));
    const [response] = await once(call, 'response') as [IncomingMessage];
    response.setEncoding('utf8');
    if (response.statusCode !== 200) throw new Error(`${path}: ${response.statusCode} ${await text(response)}`);
    return response;
  }
}
