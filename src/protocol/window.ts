import * as z from 'zod';
import type { Result } from '../base/result.js';
import type { ToolOutcome } from './agentEvents.js';
import { type RelatedFiles, relatedQuestion } from './context.js';
import type { RequestType } from './sidecar.js';

/**
 * Messages between a window and processes that serve its workspace to other programs: JSON-RPC over a local socket, like the sidecar's.
 * One connection is for one folder. The window checks every path, and asks the user before anything takes effect, whatever the
 * other side says it has checked or asked.
 */
export const windowProtocolVersion = 1;

/** 1-based, as editors show it. */
const position = z.object({ line: z.number().int().min(1), column: z.number().int().min(1) });
export type TextPosition = z.infer<typeof position>;
export type Place = TextPosition & { readonly path: string };

export interface OpenEditor {
  readonly path: string;
  /** The editor that the user looks at. */
  readonly active: boolean;
  readonly visible: boolean;
  readonly unsaved: boolean;
  /** Of visible editors. An empty selection is the cursor. */
  readonly selection?: { readonly start: TextPosition; readonly end: TextPosition; readonly text: string };
}

/** `depth`: in how many others it lies. */
export interface FileSymbol { readonly name: string; readonly kind: string; readonly line: number; readonly endLine: number; readonly depth: number }

export interface Reference { readonly path: string; readonly line: number; readonly text: string }
export interface ReferenceList {
  readonly references: readonly Reference[];
  /** `languageServer`: what is really meant. `text`: every place where the name stands as a word. */
  readonly source: 'languageServer' | 'text';
  readonly truncated: boolean;
}

/** How something ended that the user was asked about. `refused`: they did not want it. */
export interface EffectOutcome { readonly outcome: ToolOutcome; readonly content: string; readonly truncated: boolean }

/** `at` says where to go on asking. `everything`: any file, list or problem may have changed besides those that are named. */
export interface WorkspaceChanges {
  readonly at: string;
  readonly files: readonly string[];
  /** Files whose errors and warnings have changed. */
  readonly diagnostics: readonly string[];
  /** Files have come or gone. */
  readonly list: boolean;
  readonly everything: boolean;
}

export interface TaskName { readonly name: string; readonly source: string; readonly group?: string }
interface TextMatch { readonly path: string; readonly line: number; readonly text: string }
interface SymbolMatch extends TextMatch { readonly kind: string; readonly name: string }
interface Diagnostic { readonly path: string; readonly line: number; readonly severity: 'error' | 'warning' | 'info'; readonly message: string; readonly source?: string }

const path = z.string().max(4_096);
const limit = z.number().int().min(1).max(20_000);
const caller = { client: z.string().max(200), call: z.string().min(1).max(200) };

const hello = z.object({ token: z.string(), protocol: z.number().int(), folder: z.string() });
const listFiles = z.object({ glob: z.string().optional(), under: path.optional(), limit });
const searchText = z.object({ pattern: z.string().min(1), regex: z.boolean(), caseSensitive: z.boolean(), glob: z.string().optional(), limit });
const findSymbol = z.object({ name: z.string().min(1).max(400), limit });
const references = z.object({ name: z.string().max(400), place: position.extend({ path }).optional(), limit });
const proposeEdit = z.object({ ...caller, path, old: z.string().optional(), new: z.string() });
const runCommand = z.object({ ...caller, command: z.string() });
const runTask = z.object({ ...caller, name: z.string(), source: z.string().optional() });
const changes = z.object({ after: z.string().max(100).optional() });
const nothing = z.object({});

const request = <P, R>(method: string, params: z.ZodType<P>): RequestType<P, Result<R>> => ({ method, params });

export const windowRequests = {
  hello: request<z.infer<typeof hello>, { readonly protocol: number }>('loupe/window/hello', hello),
  listFiles: request<z.infer<typeof listFiles>, { readonly paths: readonly string[]; readonly truncated: boolean }>('loupe/window/listFiles', listFiles),
  readFile: request<{ path: string }, { readonly text: string; readonly unsaved: boolean }>('loupe/window/readFile', z.object({ path })),
  searchText: request<z.infer<typeof searchText>, { readonly matches: readonly TextMatch[]; readonly truncated: boolean }>('loupe/window/searchText', searchText),
  findSymbol: request<z.infer<typeof findSymbol>, readonly SymbolMatch[]>('loupe/window/findSymbol', findSymbol),
  fileSymbols: request<{ path: string }, readonly FileSymbol[]>('loupe/window/fileSymbols', z.object({ path })),
  references: request<z.infer<typeof references>, ReferenceList>('loupe/window/references', references),
  related: request<z.infer<typeof relatedQuestion>, RelatedFiles>('loupe/window/related', relatedQuestion),
  diagnostics: request<{ path?: string | undefined }, readonly Diagnostic[]>('loupe/window/diagnostics', z.object({ path: path.optional() })),
  openEditors: request<Record<string, never>, readonly OpenEditor[]>('loupe/window/openEditors', nothing),
  /** Answers when something has changed after `after`; at once without it. */
  changes: request<{ after?: string | undefined }, WorkspaceChanges>('loupe/window/changes', changes),
  proposeEdit: request<z.infer<typeof proposeEdit>, EffectOutcome>('loupe/window/proposeEdit', proposeEdit),
  runCommand: request<z.infer<typeof runCommand>, EffectOutcome>('loupe/window/runCommand', runCommand),
  tasks: request<Record<string, never>, readonly TaskName[]>('loupe/window/tasks', nothing),
  runTask: request<z.infer<typeof runTask>, EffectOutcome>('loupe/window/runTask', runTask),
} as const;
