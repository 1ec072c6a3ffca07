import { createHash } from 'node:crypto';
import type { MemoryBlock } from '../../protocol/context.js';

/** Raised when blocks are written in another way: a plan of another version is made anew. */
export const planVersion = 1;

/** A file as a block of the plan shows it. */
export type ShownFile =
  /** Whole; the text that is shown lies at these offsets of the block's text. */
  | { readonly as: 'whole'; readonly path: string; readonly hash: string; readonly from: number; readonly to: number }
  /** By symbols: the lines as they are shown, the names among them, and all names that the file had. */
  | { readonly as: 'map'; readonly path: string; readonly hash: string; readonly entry: string; readonly shown: readonly string[]; readonly all: readonly string[] };

export interface KeptBlock {
  readonly kind: MemoryBlock['kind'];
  readonly path?: string;
  readonly text: string;
  readonly tokens: number;
  readonly shows: readonly ShownFile[];
}

/** An edit since the base was written. `hash` is the content that it tells of; empty for a file that is gone. */
export interface KeptEdit extends KeptBlock { readonly kind: 'edit'; readonly path: string; readonly hash: string }

/**
 * A plan as it is kept between turns and between two starts. `base` is frozen when the plan is made; `edits` follow it. `key` names what it was made for.
 */
export interface KeptPlan {
  readonly version: number;
  readonly key: string;
  readonly mode: 'whole' | 'map';
  readonly base: readonly KeptBlock[];
  /** Files for which there was no room, not even for a symbol: they are not new, and what happens to them is not told. */
  readonly unshown: readonly string[];
  readonly edits: readonly KeptEdit[];
}

export const tokensOf = (blocks: readonly { readonly tokens: number }[]): number => blocks.reduce((sum, { tokens }) => sum + tokens, 0);

/** Most tokens that edits may take, of the budget: the base leaves them free. Beyond that a plan is due to be made anew. */
export const reserveForEdits = (budget: number): number => Math.min(4_000, Math.floor(budget / 10));

export function serialise(plan: KeptPlan): string {
  return JSON.stringify(plan);
}

/** Undefined for what another version wrote. The store vouches for the bytes. */
export function deserialise(text: string | undefined): KeptPlan | undefined {
  if (text === undefined) return undefined;
  const plan = JSON.parse(text) as KeptPlan;
  return plan.version === planVersion ? plan : undefined;
}

/** The blocks as others see them, chained. */
export function chained(blocks: readonly KeptBlock[]): MemoryBlock[] {
  let chain = '';
  return blocks.map(({ kind, path, text, tokens }) => {
    chain = createHash('sha256').update(`${chain}\n${Buffer.byteLength(text)}\n`).update(text).digest('hex');
    return { kind, ...(path === undefined ? {} : { path }), text, tokens, chain };
  });
}
