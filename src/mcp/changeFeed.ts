import { setTimeout as sleep } from 'node:timers/promises';
import type { Disposable } from '../base/disposable.js';
import { messageOf } from '../base/errors.js';
import type { Logger } from '../base/logger.js';
import type { WorkspaceChanges } from '../protocol/window.js';
import type { ServedWorkspace } from './workspace/port.js';

/** A window that is reloaded or closed is asked again after this time. Milliseconds. */
const againAfterMs = 2_000;

/** What changes in the workspace, for all sessions. Nobody is asked and nothing is watched before somebody listens. */
export class ChangeFeed {
  private readonly listeners = new Set<(changes: WorkspaceChanges) => void>();
  private running: { readonly stop: AbortController; readonly begun: Promise<void> } | undefined;

  constructor(private readonly workspace: ServedWorkspace, private readonly logger: Logger) {}

  /** `begun` resolves when what changes from then on is told, or when nothing is known at present. */
  listen(listener: (changes: WorkspaceChanges) => void): Disposable & { readonly begun: Promise<void> } {
    this.listeners.add(listener);
    if (!this.running) {
      const stop = new AbortController();
      this.running = { stop, begun: new Promise((resolve) => void this.follow(stop.signal, resolve)) };
    }
    return {
      begun: this.running.begun,
      dispose: () => {
        this.listeners.delete(listener);
        if (this.listeners.size > 0) return;
        this.running?.stop.abort();
        this.running = undefined;
      },
    };
  }

  private async follow(signal: AbortSignal, begun: () => void): Promise<void> {
    let after: string | undefined;
    for (let failed = false; !signal.aborted;) {
      try {
        const changes = await this.workspace.changes(after, signal);
        after = changes.at;
        failed = false;
        begun();
        if (changes.everything || changes.list || changes.files.length + changes.diagnostics.length > 0) for (const tell of [...this.listeners]) tell(changes);
      } catch (error) {
        begun();
        if (signal.aborted) return;
        if (!failed) this.logger.log('info', 'What changes in the workspace is not known at present', { error: messageOf(error) });
        failed = true;
        await sleep(againAfterMs, undefined, { signal, ref: false }).catch(() => undefined); // ended while waiting
      }
    }
  }
}
