import * as z from 'zod';
import type { Result } from '../base/result.js';
import { modelRoles, type NotificationType, type RequestType } from './sidecar.js';

/**
 * What is remembered of a repository, and the messages about it between the extension and the language server, which indexes. Prompts take the blocks as
 * data, one after the other; see `docs/decisions/2026-11-24-repository-context.md` for what is in them and when they change.
 */
export interface MemoryBlock {
  /** `head`: what this is. `file`: a whole file. `map`: symbols by file. `edit`: what has changed since the blocks before it were written. */
  readonly kind: 'head' | 'file' | 'map' | 'edit';
  /** Of `file` and `edit`; as it is, not as it is shown. */
  readonly path?: string;
  readonly text: string;
  /** Counted by the model's tokenizer, alone. */
  readonly tokens: number;
  /** SHA-256 over the texts of this block and of all before it, with their lengths: equal where a prefix is equal. */
  readonly chain: string;
}

export interface MemoryPlan {
  /** `whole`: every file that is not left out. `map`: central files, and symbols of the others. */
  readonly mode: 'whole' | 'map';
  readonly blocks: readonly MemoryBlock[];
  readonly tokens: number;
  /** Blocks, and their tokens, that are as they were in the plan before this one: all of them when nothing changed. */
  readonly unchangedBlocks: number;
  readonly unchangedTokens: number;
  /** Why the plan was made anew instead of kept; absent: it was kept. */
  readonly renewed?: string;
  /** Files when the plan was made, those of them that are given whole, and those of which there are symbols. */
  readonly files: { readonly indexed: number; readonly whole: number; readonly mapped: number };
}

/** State of the index of one folder. */
export type IndexState =
  | { readonly state: 'cold' }
  | { readonly state: 'indexing'; readonly done: number; readonly total: number }
  | { readonly state: 'ready'; readonly report: IndexReport }
  | { readonly state: 'failed'; readonly message: string };

export interface IndexReport {
  readonly files: number;
  /** Files that were parsed for this state; the rest came from the store. */
  readonly parsed: number;
  readonly ms: number;
  /** Where results are kept between two starts. */
  readonly store: 'sqlite' | 'memory';
  /** Files that are not remembered, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** The folder holds more files than are indexed. */
  readonly truncated: boolean;
}

/** A file that has to do with a question. `named`: the question is about it. `uses`: it uses a name of the question. `related`: the others lean on it. */
export interface RelatedFile {
  readonly path: string;
  readonly why: 'named' | 'uses' | 'related';
  /** Those that the others lean on most, first. */
  readonly symbols: readonly { readonly name: string; readonly kind: string; readonly signature: string }[];
}

/** `unknown`: words of the question that are no file and no name of the repository. */
export interface RelatedFiles { readonly files: readonly RelatedFile[]; readonly unknown: readonly string[] }

/** Where the language server finds what the index needs. Part of its initialization options. */
export const contextInitializationSchema = z.object({
  /** Folder of the WebAssembly files of the parser and its grammars. */
  grammars: z.string(),
  /** Folder of the user, never of a workspace, for what is kept between two starts. */
  storage: z.string(),
});
export type ContextInitialization = z.infer<typeof contextInitializationSchema>;

const folder = z.object({ folder: z.string() });
const planParams = folder.extend({
  /** Whose tokenizer counts. */
  role: z.enum(modelRoles),
  /** Most tokens of all blocks together. */
  budget: z.number().int().min(1_000),
  /** Within a conversation: the plan as it was answered last, whatever has changed since. */
  keep: z.boolean(),
});
export type PlanParams = z.infer<typeof planParams>;

/** Paths and names; none: what is open and was changed lately. */
export const relatedQuestion = z.object({ about: z.array(z.string().max(400)).max(50), limit: z.number().int().min(1).max(100) });
const relatedParams = folder.extend(relatedQuestion.shape);

const request = <P, R>(method: string, params: z.ZodType<P>): RequestType<P, R> => ({ method, params });
const notification = <P>(method: string): NotificationType<P> => ({ method });

/** From the extension to the language server. `folder` is the path of a workspace folder. */
export const contextRequests = {
  /** Indexes if need be and says what a prompt shall remember. Cancelled as LSP requests are. */
  plan: request<PlanParams, Result<MemoryPlan>>('loupe/context/plan', planParams),
  /** Indexes if need be and says which files have to do with names and paths. Cancelled as LSP requests are. */
  related: request<z.infer<typeof relatedParams>, Result<RelatedFiles>>('loupe/context/related', relatedParams),
  status: request<{ folder: string }, Result<IndexState>>('loupe/context/status', folder),
  /** Removes everything that is kept of the folder. */
  forget: request<{ folder: string }, Result<null>>('loupe/context/forget', folder),
} as const;

export const contextNotifications = {
  /** From the language server, when the state changes; while indexing at most a few times a second. */
  status: notification<{ readonly folder: string } & IndexState>('loupe/context/statusChanged'),
} as const;
