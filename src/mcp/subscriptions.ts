import type { Disposable } from '../base/disposable.js';
import { failure } from '../base/errors.js';
import type { WorkspaceChanges } from '../protocol/window.js';
import type { ChangeFeed } from './changeFeed.js';
import { watchedBy } from './resources.js';
import type { ServedWorkspace } from './workspace/port.js';

const mostSubscriptions = 1_000;

/** Where notifications of a session go. */
export interface Notified {
  updated(uri: string): void;
  listChanged(): void;
}

/** What one session wants to be told of. */
export class Subscriptions implements Disposable {
  private readonly uris = new Map<string, (changes: WorkspaceChanges) => boolean>();
  private following: ReturnType<ChangeFeed['listen']> | undefined;
  private hasListed = false;

  constructor(private readonly workspace: ServedWorkspace, private readonly feed: ChangeFeed, private readonly notified: Notified) {}

  /** Throws as reading the resource does where it lies outside; a file that is not there yet may come. What changes after it has resolved is told. */
  async subscribe(uri: string): Promise<void> {
    const watched = watchedBy(this.workspace, uri);
    if (this.uris.size >= mostSubscriptions && !this.uris.has(uri)) throw failure('tool.refused', `No more than ${mostSubscriptions} subscriptions are kept.`, 'End one of them.');
    this.uris.set(uri, watched);
    await this.follow();
  }

  unsubscribe(uri: string): void {
    this.uris.delete(uri);
    if (this.uris.size === 0 && !this.hasListed) this.dispose();
  }

  /** The client is about to see a list: it is told when another one would come. */
  listing(): Promise<void> {
    this.hasListed = true;
    return this.follow();
  }

  dispose(): void {
    this.following?.dispose();
    this.following = undefined;
  }

  private follow(): Promise<void> {
    this.following ??= this.feed.listen((changes) => {
      for (const [uri, watched] of this.uris) if (watched(changes)) this.notified.updated(uri);
      if (this.hasListed && (changes.list || changes.everything)) this.notified.listChanged();
    });
    return this.following.begun;
  }
}
