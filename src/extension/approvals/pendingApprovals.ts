import type { Disposable } from '../../base/disposable.js';
import { Emitter } from '../../base/event.js';
import type { ApprovalPort } from '../../agent/ports.js';
import type { Approval, Decision, Remember } from '../../protocol/agentEvents.js';

/**
 * What waits for the user. An id is good for one decision: a second one, or one for an id that was never asked, does
 * nothing. Nothing here is stored: when the host ends, everything that waited has expired unexecuted.
 */
export class PendingApprovals implements ApprovalPort, Disposable {
  private readonly waiting = new Map<string, { readonly approval: Approval; readonly settle: (decision: Decision) => void; readonly cancel: () => void; readonly remember: ((scope: Remember) => void) | undefined }>();
  private readonly used = new Set<string>();
  private readonly changed = new Emitter<{ readonly approval: Approval; readonly state: 'requested' | 'resolved' }>();
  readonly onDidChange = this.changed.event;

  get pending(): readonly Approval[] {
    return [...this.waiting.values()].map((w) => w.approval);
  }

  get(id: string): Approval | undefined {
    return this.waiting.get(id)?.approval;
  }

  /** `remember`: told when the user's yes is to hold for longer, where the approval offers that. */
  async request(approval: Approval, signal: AbortSignal, remember?: (scope: Remember) => void): Promise<Decision> {
    signal.throwIfAborted();
    if (this.used.has(approval.id)) throw new Error(`Approval id used twice: ${approval.id}`);
    this.used.add(approval.id);
    try {
      return await new Promise<Decision>((resolve, reject) => {
        const cancel = (): void => reject(new DOMException('Cancelled', 'AbortError'));
        signal.addEventListener('abort', cancel, { once: true });
        const leave = (): void => signal.removeEventListener('abort', cancel);
        this.waiting.set(approval.id, {
          approval,
          settle: (decision) => { leave(); resolve(decision); },
          cancel, remember,
        });
        this.changed.fire({ approval, state: 'requested' });
      });
    } finally {
      this.waiting.delete(approval.id);
      this.changed.fire({ approval, state: 'resolved' });
    }
  }

  /** False when nothing waits under this id. */
  decide(id: string, decision: Decision, scope?: Remember): boolean {
    const waiting = this.waiting.get(id);
    if (!waiting) return false;
    this.waiting.delete(id);
    if (scope !== undefined && decision === 'accepted' && waiting.approval.remember?.includes(scope) === true) waiting.remember?.(scope);
    waiting.settle(decision);
    return true;
  }

  dispose(): void {
    for (const { cancel } of [...this.waiting.values()]) cancel();
    this.changed.dispose();
  }
}
