import { readdir, readFile, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentEvent } from '../protocol/agentEvents.js';
import type { TraceTurn } from '../protocol/trace.js';
import { appendLine, openPrivate } from './files.js';
import { foldTurn, interruptedTurn } from './fold.js';

/** Events of a running turn on disk, so that a turn whose process dies is not lost. Named by process, for `abandoned`. */
export class Journal {
  private constructor(private readonly path: string, private readonly handle: FileHandle) {}

  static async create(folder: string, turnId: string, pid: number): Promise<Journal> {
    const name = `running-${pid}-${Buffer.from(turnId).toString('hex').slice(0, 64)}.jsonl`;
    return new Journal(join(folder, name), await openPrivate(join(folder, name)));
  }

  /** Text and progress are left out: they come many times a second and the trace keeps only their sizes. */
  async add(event: AgentEvent): Promise<void> {
    if (event.type === 'textDelta' || event.type === 'modelProgress') return;
    // The trace never shows results, and a journal is no place for a copy of the workspace.
    const lean = event.type === 'toolFinished' ? { ...event, result: '' } : event;
    await appendLine(this.handle, JSON.stringify(lean));
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  async remove(): Promise<void> {
    await this.handle.close();
    await rm(this.path, { force: true });
  }
}

export interface Abandoned { readonly path: string; readonly turn: TraceTurn | undefined }

/** Journals whose process is gone, with the turn as far as it can be read. A torn last line is left out. */
export async function abandonedJournals(folder: string, isAlive: (pid: number) => boolean): Promise<readonly Abandoned[]> {
  const names = (await readdir(folder)).filter((name) => /^running-\d+-[0-9a-f]+\.jsonl$/.test(name));
  const found: Abandoned[] = [];
  for (const name of names.sort()) {
    if (isAlive(Number(name.split('-')[1]))) continue;
    const path = join(folder, name);
    found.push({ path, turn: foldLines(await readFile(path, 'utf8')) });
  }
  return found;
}

function foldLines(content: string): TraceTurn | undefined {
  let turn: TraceTurn | undefined;
  for (const line of content.split('\n')) {
    const event = parseEvent(line);
    if (event && (turn || event.type === 'turnStarted')) turn = foldTurn(turn, event);
  }
  return turn && interruptedTurn(turn);
}

function parseEvent(line: string): AgentEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'type' in value ? value as AgentEvent : undefined; // written by us, in a private file
  } catch {
    return undefined; // torn by a crash
  }
}
