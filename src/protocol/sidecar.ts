import type { LoupeError } from '../base/errors.js';
import type { Result } from '../base/result.js';
import * as z from 'zod';
import { generationStatsSchema } from './chat.js';
import { type KvFormat, type KvPreset, kvPresets } from './kv.js';
import { type Forgotten, type MemoryList, memoryNameSchema, type PrefixStats, type RememberResult } from './memory.js';

/**
 * The one table of messages between the sidecar and its clients (JSON-RPC over a socket). Parameters are validated by the
 * sidecar. Every request answers with a {@link Result}; JSON-RPC errors mean a broken peer, nothing else.
 */
export const protocolVersion = 1;

export const modelRoles = ['chat', 'completion'] as const;
export type ModelRole = (typeof modelRoles)[number];

/**
 * Text of a prompt. `control` text may hold the model's control tokens; other text never becomes one, whatever it says. The
 * sidecar puts the begin-of-text token in front where the model file asks for one: prompts never hold it.
 *
 * `border`: everything up to the end of this segment comes again, in the same words, in other prompts. A prompt is never evaluated across its last border in one
 * go, so what follows is computed in the same way whether the part before came from a prompt, from memory or from disk.
 */
export const promptSegmentSchema = z.object({ text: z.string(), control: z.boolean(), border: z.boolean().optional() });
export type PromptSegment = z.infer<typeof promptSegmentSchema>;

export const samplingSchema = z.object({
  temperature: z.number().min(0).max(2),
  topP: z.number().min(0).max(1).optional(),
  topK: z.number().int().min(0).optional(),
  minP: z.number().min(0).max(1).optional(),
  seed: z.number().int().optional(),
  repeatPenalty: z.number().min(0.5).max(2).optional(),
});
export type Sampling = z.infer<typeof samplingSchema>;

const helloParams = z.object({ token: z.string(), protocol: z.number(), client: z.string(), build: z.string() });
export interface HelloResult { readonly protocol: number; readonly build: string; readonly pid: number; readonly engine: EngineInfo }

export interface EngineInfo {
  /** llama.cpp release of the loaded binding. */
  readonly llamaCpp: string;
  /** `loupe`: built by us, with our storage formats; `stock`: as node-llama-cpp publishes it. */
  readonly binding: 'loupe' | 'stock';
  /** With the stock binding: why, and what that means for the user, in plain sentences. */
  readonly bindingNote?: string;
  /** Version of the byte layouts of our formats; 0 without them. */
  readonly formatVersion: number;
  /** Storage formats of the KV cache beyond upstream's, by name. */
  readonly formats: readonly string[];
  /** Instruction set that our kernels use, for example `avx512`; empty without them. */
  readonly isa: string;
  readonly gpu: string;
  readonly threads: number;
}

const loadParams = z.object({
  role: z.enum(modelRoles),
  modelPath: z.string(),
  /** Tokens; 'auto' lets the sidecar take what fits. */
  contextSize: z.union([z.literal('auto'), z.number().int().min(256)]),
  /** Tokens of the context with which memory ran out, when this load is the smaller one after it. */
  reducedFrom: z.number().int().optional(),
  kvPreset: z.enum(kvPresets),
  threads: z.union([z.literal('auto'), z.number().int().min(1)]),
  gpu: z.enum(['auto', 'off']),
});
export type LoadParams = z.infer<typeof loadParams>;

export interface LoadedModel {
  readonly role: ModelRole;
  readonly path: string;
  readonly name: string;
  /** GGUF `general.architecture`, for example `gemma3` or `qwen2`. */
  readonly architecture: string;
  readonly fileBytes: number;
  readonly trainContext: number;
  /** The context the runtime really has, in tokens. */
  readonly contextSize: number;
  /** Tokens of the context with which memory ran out before; absent: nothing was reduced. */
  readonly reducedFrom?: number;
  readonly kvPreset: KvPreset;
  /** What the engine really uses for the preset. */
  readonly kv: KvFormat;
  /** Why that is not what the preset promises, in a sentence; absent: it is. */
  readonly kvNote?: string;
  readonly kvBytesTotal: number;
  readonly gpuLayers: number;
  readonly fillInMiddle: boolean;
  /** The model's own chat template, when the file has one: tells families apart, is never rendered. */
  readonly chatTemplate?: string;
  readonly loadMs: number;
}

export type RoleState =
  | { readonly state: 'empty' }
  | { readonly state: 'loading'; readonly path: string; readonly fraction: number }
  | { readonly state: 'ready'; readonly model: LoadedModel }
  | { readonly state: 'failed'; readonly path: string; readonly error: LoupeError };

export interface SidecarStatus {
  readonly pid: number;
  readonly uptimeMs: number;
  readonly clients: number;
  readonly rssBytes: number;
  readonly queued: number;
  readonly engine: EngineInfo;
  readonly roles: Readonly<Record<ModelRole, RoleState>>;
}

const generateParams = z.object({
  /** Chosen by the client; names the request in `delta` and `progress` notifications. */
  id: z.string(),
  role: z.enum(modelRoles),
  /** Requests of one conversation share a sequence, so that its prefix stays cached. */
  conversation: z.string(),
  prompt: z.array(promptSegmentSchema),
  maxTokens: z.number().int().min(1),
  /** Text that ends the generation; not part of the result. */
  stop: z.array(z.string()),
  /** GBNF grammar with a `root` rule. */
  grammar: z.string().optional(),
  sampling: samplingSchema,
});
export type GenerateParams = z.infer<typeof generateParams>;

/** Control tokens that the model writes appear in `text` and in deltas as their text, the end of its turn excepted. */
export const generateResultSchema = z.object({
  text: z.string(),
  /** The stop text that ended it; absent when the model ended its turn by itself or a limit did. */
  stop: z.string().optional(),
  stats: generationStatsSchema,
});
export type GenerateResult = z.infer<typeof generateResultSchema>;

const probeParams = generateParams.pick({ id: true, role: true, conversation: true, prompt: true }).extend({
  /** Candidate continuations; the probability of each one's first token is returned, in this order. */
  candidates: z.array(z.string()).min(1),
});
export type ProbeParams = z.infer<typeof probeParams>;
export interface ProbeResult { readonly probabilities: readonly number[]; readonly stats: z.infer<typeof generationStatsSchema> }

const rememberParams = generateParams.pick({ id: true, role: true, prompt: true }).extend({ memory: memoryNameSchema });
export type RememberParams = z.infer<typeof rememberParams>;

const restoreParams = generateParams.pick({ id: true, role: true, conversation: true, prompt: true });
export type RestoreParams = z.infer<typeof restoreParams>;

const prefillParams = generateParams.pick({ role: true, conversation: true, prompt: true });
export type PrefillParams = z.infer<typeof prefillParams>;

const tokenizeParams = z.object({ role: z.enum(modelRoles), segments: z.array(promptSegmentSchema) });

/** What the KV cache holds and would hold. Bytes; per token where said. */
export interface KvAudit {
  readonly role: ModelRole;
  readonly model: string;
  readonly engine: EngineInfo;
  readonly weightsBytes: number;
  readonly contextSize: number;
  /** Conversations that are held at the same time, each with a context of its own; totals are of all. */
  readonly sequences: number;
  readonly kvPreset: KvPreset;
  readonly kv: KvFormat;
  readonly kvNote?: string;
  readonly layers: { readonly total: number; readonly global: number; readonly slidingWindow: number; readonly window: number };
  /** KV bytes per token of the layers that keep every token. */
  readonly bytesPerTokenGrowing: number;
  /** KV bytes of the sliding-window layers, which stop growing at the window. */
  readonly bytesWindow: number;
  /** KV bytes of the first and the newest tokens that are kept in f16 besides: constant. */
  readonly bytesTail: number;
  readonly bytesTotal: number;
  readonly tokensUsed: number;
  readonly freeRamBytes: number;
  readonly presets: readonly PresetAudit[];
}

/** What a preset would give here: the engine's format for it, total KV bytes at the present context size, and the context that fits into free memory. */
export interface PresetAudit {
  readonly preset: KvPreset;
  readonly kv: KvFormat;
  readonly note?: string;
  readonly bytesPerToken: number;
  readonly bytesTotal: number;
  readonly contextThatFits: number;
}

export interface RequestType<P, R> { readonly method: string; readonly params: z.ZodType<P>; readonly __result?: R }
export interface NotificationType<P> { readonly method: string; readonly __params?: P }

const request = <P, R>(method: string, params: z.ZodType<P>): RequestType<P, R> => ({ method, params });
const notification = <P>(method: string): NotificationType<P> => ({ method });

export const sidecarRequests = {
  hello: request<z.infer<typeof helloParams>, Result<HelloResult>>('loupe/hello', helloParams),
  ping: request<Record<string, never>, Result<{ at: number }>>('loupe/ping', z.object({})),
  load: request<LoadParams, Result<LoadedModel>>('loupe/load', loadParams),
  unload: request<{ role: ModelRole }, Result<null>>('loupe/unload', z.object({ role: z.enum(modelRoles) })),
  status: request<Record<string, never>, Result<SidecarStatus>>('loupe/status', z.object({})),
  generate: request<GenerateParams, Result<GenerateResult>>('loupe/generate', generateParams),
  probe: request<ProbeParams, Result<ProbeResult>>('loupe/probe', probeParams),
  tokenize: request<z.infer<typeof tokenizeParams>, Result<{ tokens: number[] }>>('loupe/tokenize', tokenizeParams),
  audit: request<{ role: ModelRole }, Result<KvAudit>>('loupe/audit', z.object({ role: z.enum(modelRoles) })),
  /** Evaluates a prefix in the background, behind every other request, and saves its KV state. Cancelled, it keeps what it has saved. */
  remember: request<RememberParams, Result<RememberResult>>('loupe/remember', rememberParams),
  /** Loads what is saved of a prompt into its conversation, and evaluates nothing. `generate` does the same by itself. */
  restore: request<RestoreParams, Result<PrefixStats>>('loupe/restore', restoreParams),
  /**
   * Evaluates what the next prompt of a conversation will begin with, as far as it is known. Only while nothing else is asked: it is given up within one batch,
   * takes no sequence that another conversation used just now, and saves nothing. A newer one ends the one before, which answers `cancelled`.
   */
  prefill: request<PrefillParams, Result<PrefixStats>>('loupe/prefill', prefillParams),
  memories: request<Record<string, never>, Result<MemoryList>>('loupe/memories', z.object({})),
  /** Removes the snapshots of one memory; without a name, all. */
  forget: request<{ memory?: string | undefined }, Result<Forgotten>>('loupe/forget', z.object({ memory: memoryNameSchema.optional() })),
  /** The most that all snapshots together may take on disk. */
  memoryBudget: request<{ bytes: number }, Result<MemoryList>>('loupe/memoryBudget', z.object({ bytes: z.number().int().min(0).max(2 ** 44) })),
  shutdown: request<Record<string, never>, Result<null>>('loupe/shutdown', z.object({})),
} as const;

/** Counted in tokens; `save`, which only `remember` has, in bytes. */
export type ProgressPhase = 'queue' | 'restore' | 'prefill' | 'save';
export interface DeltaParams { readonly id: string; readonly text: string; readonly tokensOut: number }
export interface ProgressParams { readonly id: string; readonly phase: ProgressPhase; readonly done: number; readonly total: number }

export const sidecarNotifications = {
  /** Newly decoded text of a running `generate`. */
  delta: notification<DeltaParams>('loupe/delta'),
  progress: notification<ProgressParams>('loupe/progress'),
  /** A role changed its state, by whichever client. */
  roleState: notification<{ readonly role: ModelRole; readonly state: RoleState }>('loupe/roleState'),
  log: notification<{ readonly level: string; readonly message: string }>('loupe/log'),
} as const;
