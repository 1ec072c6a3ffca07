import type { ErrorCode } from '../../../base/errors.js';
import type { ChatToHost } from '../../../protocol/views.js';
import type { Gate } from '../../../protocol/agentEvents.js';

export interface NextStep { readonly label: string; readonly message: ChatToHost }

const chooseModel: NextStep = { label: 'Choose Model', message: { type: 'chooseModel' } };
const action = (label: string, name: Extract<ChatToHost, { type: 'action' }>['action']): NextStep => ({ label, message: { type: 'action', action: name } });
const restart = action('Restart Sidecar', 'restartSidecar');
const log = action('Show Log', 'showLog');
const settings = action('Open Settings', 'openSettings');
const retryOf = (turnId: string): NextStep => ({ label: 'Retry', message: { type: 'retry', turnId } });

/** Buttons under an error, most useful first. */
export function stepsForError(code: ErrorCode, turnId: string): readonly NextStep[] {
  const retry = retryOf(turnId);
  const family = code.split('.')[0];
  if (code === 'cancelled') return [retry];
  if (code === 'workspace.untrusted') return [action('Manage Workspace Trust', 'manageTrust')];
  if (code === 'context.overflow') return [{ label: 'New Chat', message: { type: 'newChat' } }, settings];
  if (code === 'model.emptyAnswer') return [retry, chooseModel];
  if (code === 'model.outOfMemory') return [chooseModel, settings, retry];
  if (family === 'model' || family === 'download') return [chooseModel, retry, log];
  if (family === 'sidecar') return code === 'sidecar.crashLoop' ? [restart, log] : [retry, restart, log];
  if (family === 'endpoint') return [settings, retry, chooseModel];
  return [retry, log];
}

/** What "Continue" asks, for an answer that a budget cut short. Not for errors: those are retried. */
export function continuation(gate: Gate): string | undefined {
  return gate === 'steps' || gate === 'tokens' || gate === 'wallClock' ? 'Continue where you stopped.' : undefined;
}
