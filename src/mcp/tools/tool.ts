import * as z from 'zod';
import type { Git } from '../git/git.js';
import type { ServedWorkspace } from '../workspace/port.js';

/** What a call may use besides its arguments. */
export interface CallContext {
  readonly workspace: ServedWorkspace;
  readonly git: Git;
  /** Name of the client, as it calls itself: to be shown, never trusted. */
  readonly client: string;
  /** Different for every call of every session. */
  readonly call: string;
  readonly signal: AbortSignal;
  /** Tells a client that asked for it how far the call is. */
  progress(message: string): void;
}

/** `text` is for reading, `data` fits the tool's output schema. A failure has no data. */
export interface Outcome { readonly text: string; readonly data: Record<string, unknown>; readonly failed?: boolean }

export interface ToolSpec<I extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** `change` and `run` ask the user in the window first. */
  readonly effect: 'read' | 'change' | 'run';
  /** Only a window knows or can do it: headless, the tool does not exist. */
  readonly needsWindow?: boolean;
  readonly input: I;
  readonly output: z.ZodObject;
  run(args: z.infer<I>, context: CallContext): Promise<Outcome>;
}

export interface McpTool extends Omit<ToolSpec<z.ZodObject>, 'run'> {
  run(args: Readonly<Record<string, unknown>>, context: CallContext): Promise<Outcome>;
}

/** Keeps the types of the arguments for `run` and forgets them outside: `server.ts` checks arguments against `input` before it calls. */
export function defineTool<I extends z.ZodObject>(spec: ToolSpec<I>): McpTool {
  return spec;
}

export const cursor = z.string().optional().describe('nextCursor of the last answer, for the next page');
export const nextCursor = z.string().optional();

/** The rows of a page, with what is to be done for the next one. */
export function rows(lines: readonly string[], more: string | undefined, none: string): string {
  if (lines.length === 0) return none;
  return more === undefined ? lines.join('\n') : `${lines.join('\n')}\n[There is more: call again with cursor ${more}]`;
}

/** Only what is set: the ports' optional fields do not take undefined. */
export function set<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
