import type { CommandId } from '../../protocol/commands.js';
import type { InlineStatus } from '../../protocol/inline.js';
import type { InlineCounts } from './inlineStatistics.js';

export interface InlineStatusText {
  readonly text: string;
  readonly detail: string;
  readonly warning: boolean;
  readonly busy: boolean;
  /** What the user can do about it, or most likely wants. */
  readonly action?: { readonly title: string; readonly command: CommandId };
}

const turnOff = { title: 'Turn Off', command: 'loupe.toggleInline' } as const;

/** The state of inline suggestions in words, with how many were accepted. */
export function inlineStatusText(status: InlineStatus, { offered, accepted, partlyAccepted }: InlineCounts): InlineStatusText {
  const quiet = { warning: false, busy: false };
  switch (status.state) {
    case 'off':
      return { ...quiet, text: 'Inline suggestions are off', detail: '', action: { title: 'Turn On', command: 'loupe.toggleInline' } };
    case 'untrusted':
      return { ...quiet, text: 'Inline suggestions wait for trust', detail: 'Loupe starts nothing in a workspace that is not trusted.' };
    case 'starting':
      return { ...quiet, busy: true, text: 'Inline suggestions are starting', detail: '', action: turnOff };
    case 'checking':
      return { ...quiet, busy: true, text: `Inline suggestions: checking the model file, ${Math.floor(status.fraction * 100)} %`, detail: '', action: turnOff };
    case 'loading':
      return { ...quiet, busy: true, text: `Inline suggestions: loading, ${Math.floor(status.fraction * 100)} %`, detail: '', action: turnOff };
    case 'ready': {
      const detail = offered === 0 ? '' : `${accepted + partlyAccepted} of ${offered} accepted, counted on this machine only`;
      return { ...quiet, text: `Inline suggestions: ${status.model}`, detail, action: turnOff };
    }
    case 'unavailable': {
      const { code, message, next } = status.error;
      const action = code.startsWith('sidecar.') ? { title: 'Restart Sidecar', command: 'loupe.restartSidecar' } as const : { title: 'Choose Model', command: 'loupe.chooseModel' } as const;
      return { warning: true, busy: false, text: 'No inline suggestions', detail: `${message} ${next}`, action };
    }
  }
}
