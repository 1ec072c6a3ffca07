import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as z from 'zod';
import type { McpToolDefinition } from '../../../protocol/mcpClient.js';
import { readJson, writeFileAtomic } from '../../storage/atomicFile.js';

/** What is kept of one server. Lies with the user's own data, where no tool and no command of a model writes. */
export interface ServerRecord {
  /** Hash of the configuration that the user accepted, or that their own settings hold. */
  readonly approved?: string;
  /** The definitions that the user accepted: the first list that came after the approval, and every change that they have seen since. */
  readonly tools?: readonly McpToolDefinition[];
  /** Set where the user switched a server of a workspace on or off. */
  readonly enabled?: boolean;
}

const definition = z.object({ name: z.string(), description: z.string(), inputSchema: z.record(z.string(), z.unknown()), hash: z.string() });
const record = z.object({ folder: z.string(), name: z.string(), approved: z.string().optional(), tools: z.array(definition).optional(), enabled: z.boolean().optional() });

/** One file for each server and folder, so that two windows never overwrite what the other one knows of another server. */
export class ServerStore {
  constructor(private readonly directory: string) {}

  /** A file that cannot be read is set aside: the server is asked for again. */
  async read(folder: string, name: string): Promise<ServerRecord> {
    const read = await readJson(this.file(folder, name), (value): value is z.infer<typeof record> => record.safeParse(value).success);
    if (!read.found || read.value.folder !== folder || read.value.name !== name) return {};
    const { approved, tools, enabled } = read.value;
    return { ...(approved === undefined ? {} : { approved }), ...(tools === undefined ? {} : { tools }), ...(enabled === undefined ? {} : { enabled }) };
  }

  async write(folder: string, name: string, kept: ServerRecord): Promise<void> {
    await writeFileAtomic(this.file(folder, name), JSON.stringify({ folder, name, ...kept }));
  }

  private file(folder: string, name: string): string {
    return join(this.directory, `${createHash('sha256').update(JSON.stringify([folder, name])).digest('hex').slice(0, 32)}.json`);
  }
}
