import * as z from 'zod';
import type { LoupeError } from '../base/errors.js';
import type { GenerationStats } from './chat.js';
import { contextInitializationSchema } from './context.js';
import { type NotificationType, sidecarRequests } from './sidecar.js';

/**
 * What the extension and the language server tell each other beside standard LSP. The server trusts the extension that
 * started it; its initialization options are validated all the same, because a bundle of another build may be on disk.
 */
export const inlineConfigurationSchema = z.object({
  /** Per language id; `*` is the default. */
  languages: z.record(z.string(), z.boolean()),
  /** Longest suggestion in tokens. */
  maxTokens: z.number().int().min(1),
  /** What to load for the completion role; null while no model is installed or chosen. */
  model: sidecarRequests.load.params.nullable(),
});
export type InlineConfiguration = z.infer<typeof inlineConfigurationSchema>;

export const inlineInitializationSchema = z.object({
  sidecar: z.object({
    /** Path of the sidecar's entry file and of the Node (or Electron) that runs it. */
    entry: z.string(),
    execPath: z.string(),
    /** Folder of the socket, the token and the lock. */
    stateDir: z.string(),
    build: z.string(),
  }),
  configuration: inlineConfigurationSchema,
  /** Without it the server keeps no index of repositories. */
  context: contextInitializationSchema.optional(),
});
export type InlineInitialization = z.infer<typeof inlineInitializationSchema>;

/** State of inline suggestions as the status bar shows it. Sent when it changes, not per request. */
export type InlineStatus =
  /** Switched off in the settings. */
  | { readonly state: 'off' }
  | { readonly state: 'untrusted' }
  | { readonly state: 'starting' }
  /** Whether the model's file is the published one. */
  | { readonly state: 'checking'; readonly fraction: number }
  | { readonly state: 'loading'; readonly fraction: number }
  | { readonly state: 'ready'; readonly model: string }
  /** No suggestions until something is done about the error: no model, a model without fill-in-the-middle, a crash loop. */
  | { readonly state: 'unavailable'; readonly error: LoupeError };

/** Cost of one suggestion request that was not cancelled. Milliseconds. Kept on this machine. */
export interface InlineMeasurement {
  readonly source: 'model' | 'cache';
  readonly shown: boolean;
  /** Why nothing was shown, or why generation was stopped early. */
  readonly reason?: string;
  readonly debounceMs: number;
  /** From the request to the answer, debounce included. */
  readonly totalMs: number;
  readonly stats?: GenerationStats;
}

const notification = <P>(method: string): NotificationType<P> => ({ method });

export const inlineNotifications = {
  /** Extension to server: settings or the chosen model changed. */
  configuration: notification<InlineConfiguration>('loupe/inlineConfiguration'),
  /** Server to extension. */
  status: notification<InlineStatus>('loupe/inlineStatus'),
  /** Server to extension. */
  measured: notification<InlineMeasurement>('loupe/inlineMeasured'),
} as const;
