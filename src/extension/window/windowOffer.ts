import type { Disposable } from '../../base/disposable.js';
import { messageOf } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { WindowServer } from './windowServer.js';

export interface WindowOfferDeps {
  readonly start: () => Promise<WindowServer>;
  /** Real paths of the folders to offer; none where nothing may be offered: an untrusted workspace, or switched off. */
  readonly folders: () => Promise<readonly string[]>;
  readonly logger: Logger;
}

/** Keeps this window's server in step with its folders, its trust and its settings. Nothing listens before there is something to offer. */
export class WindowOffer implements Disposable {
  private server: WindowServer | undefined;
  private disposed = false;
  private last: Promise<void> = Promise.resolve();

  constructor(private readonly deps: WindowOfferDeps) {}

  /** Resolves when what is offered is what shall be. */
  update(): Promise<void> {
    this.last = this.last.then(() => this.settle()).catch((error: unknown) => {
      this.deps.logger.log('error', 'This window could not be offered to other programs', { error: messageOf(error) });
    });
    return this.last;
  }

  dispose(): void {
    this.disposed = true;
    this.server?.dispose();
    this.server = undefined;
  }

  private async settle(): Promise<void> {
    const folders = this.disposed ? [] : await this.deps.folders();
    if (folders.length === 0) {
      this.server?.dispose();
      this.server = undefined;
      return;
    }
    const server = (this.server ??= await this.deps.start());
    await server.offer(folders);
    if (this.disposed) server.dispose(); // it ended while this one began
  }
}
