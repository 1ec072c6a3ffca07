import { type LoupeError, makeError } from '../../base/errors.js';
import { formatBytes } from '../commands/auditReport.js';
import type { MemoryState, OffReason } from './memoryState.js';

export interface MemoryText {
  /** Behind the name in the status bar; absent: nothing to say there. */
  readonly bar?: string;
  /** One line: what is remembered, or why nothing is. */
  readonly line: string;
  readonly warning: boolean;
}

const count = (n: number): string => n.toLocaleString('en-US');
const percent = (done: number, total: number): string => (total > 0 ? `${Math.floor((100 * Math.min(done, total)) / total)} %` : '');

/** Why nothing is remembered, and what the user can do about it. */
const reasons: Readonly<Record<OffReason, readonly [why: string, next: string]>> = {
  setting: ['The memory is switched off.', 'Switch on "loupe.memory.enabled" in your user settings.'],
  untrusted: ['This workspace is not trusted.', 'Trust it to let Loupe remember it.'],
  endpoint: ['The chat model is an endpoint, which remembers nothing for Loupe.', 'Choose a local model.'],
  noFolder: ['No folder is open.', 'Open the folder of your repository.'],
  smallContext: ['The context of the model is too small to remember anything in it.', 'Choose a larger "loupe.model.contextSize", or another model.'],
  nothing: ['There is no file here to remember.', 'Files that are ignored, generated or hold secrets are left out.'],
  cancelled: ['You cancelled it.', 'Loupe begins again when you tell it to.'],
  forgotten: ['You had it forgotten.', 'Loupe begins again when you tell it to, or when this window is opened again.'],
  removed: ['What was saved is gone: it was forgotten in another window, or others took its place on the disk.', 'Loupe begins again when you tell it to, or when this window is opened again.'],
};

const coldNext = 'It begins when the chat model is loaded.';

/** The state of the memory in words. */
export function memoryText(memory: MemoryState): MemoryText {
  const quiet = { warning: false };
  switch (memory.state) {
    case 'off': {
      const [why, next] = reasons[memory.why];
      return { ...quiet, line: `Repository not remembered. ${why} ${next}` };
    }
    case 'cold':
      return { ...quiet, line: `Repository not remembered yet. ${coldNext}` };
    case 'waiting':
      return { ...quiet, bar: 'cold', line: memory.until === 'idle' ? 'Repository not remembered yet. Loupe reads it when you pause.' : 'Repository not remembered yet. On battery Loupe waits until the machine is plugged in.' };
    case 'indexing': {
      const share = percent(memory.done, memory.total);
      return { ...quiet, bar: share === '' ? 'indexing' : `indexing ${share}`, line: memory.total > 0 ? `Indexing the repository: ${count(memory.done)} of ${count(memory.total)} files.` : 'Indexing the repository.' };
    }
    case 'warming':
      return { ...quiet, bar: `warming ${percent(memory.done, memory.total) || '0 %'}`, line: `Reading the repository in the background: ${count(memory.done)} of ${count(memory.total)} tokens.` };
    case 'warm':
      return { ...quiet, bar: 'warm', line: `Repository remembered: ${count(memory.tokens)} tokens, ${formatBytes(memory.bytes)} on disk. New chats begin with it.` };
    case 'failed':
      return { warning: true, bar: 'not remembered', line: `Repository not remembered. ${memory.error.message} ${memory.error.next}` };
  }
}

export function offError(memory: { readonly state: 'off'; readonly why: OffReason } | { readonly state: 'cold' }): LoupeError {
  const [why, next] = memory.state === 'off' ? reasons[memory.why] : ['No local chat model is loaded.', coldNext];
  return makeError('memory.off', `This repository cannot be remembered now. ${why}`, next);
}
