import type { LoupeError } from '../../base/errors.js';

/** Why nothing is remembered and nothing will be by itself. */
export type OffReason =
  | 'setting' | 'untrusted' | 'endpoint' | 'noFolder'
  /** The model's context leaves too little room. */
  | 'smallContext'
  /** The folder has no file that is indexed. */
  | 'nothing'
  /** The user ended it, or had it forgotten, here. */
  | 'cancelled' | 'forgotten'
  /** Its states are gone: another window forgot it, or others took its place on the disk. */
  | 'removed';

/** What is remembered of the repository of the chat, as the window shows it. */
export type MemoryState =
  | { readonly state: 'off'; readonly why: OffReason }
  /** It begins when a local model is loaded. */
  | { readonly state: 'cold' }
  | { readonly state: 'waiting'; readonly until: 'idle' | 'power' }
  /** Files. */
  | { readonly state: 'indexing'; readonly done: number; readonly total: number }
  /** Tokens. */
  | { readonly state: 'warming'; readonly done: number; readonly total: number }
  /** Tokens of the whole prefix, and bytes of its states on disk. */
  | { readonly state: 'warm'; readonly tokens: number; readonly bytes: number }
  | { readonly state: 'failed'; readonly error: LoupeError };

/** Whether something is under way, or about to be, that the user can end. */
export const canCancel = ({ state }: MemoryState): boolean => state === 'indexing' || state === 'warming' || state === 'waiting';

/** Whether the user can have it begin. */
export function canRemember(memory: MemoryState): boolean {
  if (memory.state !== 'off') return memory.state !== 'warm' && memory.state !== 'indexing' && memory.state !== 'warming';
  return memory.why === 'cancelled' || memory.why === 'forgotten' || memory.why === 'removed' || memory.why === 'nothing';
}
