import type { AgentEvent } from '../protocol/agentEvents.js';
import type { ModelBadge } from '../protocol/views.js';
import type { MemoryState } from './memory/memoryState.js';
import { memoryText } from './memory/memoryText.js';

export interface StatusText {
  readonly text: string;
  readonly tooltip: string;
  /** For screen readers, which do not see icons. */
  readonly label: string;
  readonly warning: boolean;
}

const icons: Record<ModelBadge['state'], string> = {
  none: '$(warning)', idle: '$(circle-outline)', downloading: '$(cloud-download)', checking: '$(loading~spin)', loading: '$(loading~spin)', ready: '$(search)', failed: '$(error)',
  untrusted: '$(shield)', remote: '$(cloud)',
};

const said: Record<ModelBadge['state'], string> = {
  none: 'no model', idle: 'model not loaded', downloading: 'downloading a model', checking: 'checking the model file', loading: 'model is loading', ready: 'ready', failed: 'model not ready',
  untrusted: 'off until this workspace is trusted', remote: 'ready, remote endpoint',
};

/** What the status bar says: what a running turn does, else the state of the model and, when that is loaded, of the repository's memory. */
export function statusText(badge: ModelBadge, activity: string | undefined, state: MemoryState = { state: 'cold' }): StatusText {
  const memory = memoryText(state);
  // What keeps the model away is said already, and so is why nothing is remembered then.
  const tooltip = [badge.label, badge.detail, ...(badge.state === 'untrusted' || badge.state === 'none' ? [] : [memory.line])].join('\n');
  if (activity !== undefined) return { text: `$(loading~spin) Loupe: ${activity}`, tooltip, label: `Loupe: ${activity}`, warning: false };
  const percent = badge.fraction !== undefined ? ` ${Math.floor(badge.fraction * 100)}%` : '';
  const bar = badge.state === 'ready' && memory.bar !== undefined ? ` ${memory.bar}` : '';
  return {
    text: `${icons[badge.state]} Loupe${percent}${bar === '' ? '' : ` ·${bar}`}`, tooltip,
    label: `Loupe: ${said[badge.state]}. ${badge.label}${bar === '' ? '' : `. Repository memory:${bar}`}`,
    warning: badge.state === 'none' || badge.state === 'failed' || (badge.state === 'ready' && memory.warning),
  };
}

/** What a turn does after this event, in a few words; undefined when it has ended; the same as before when the event changes nothing. */
export function activityAfter(event: AgentEvent, before: string | undefined): string | undefined {
  switch (event.type) {
    case 'turnStarted': return 'starting';
    case 'hopStarted': return `hop ${event.hop}, reading`;
    case 'firstToken': return `hop ${event.hop}, writing`;
    case 'toolStarted': return `hop ${event.hop}, ${event.call.name}`;
    case 'serverStarted': return event.hop === 0 ? 'starting' : before;
    case 'approvalRequested': return 'waiting for your approval';
    case 'approvalResolved': return `hop ${event.hop}, going on`;
    case 'turnFinished': return undefined;
    default: return before;
  }
}
