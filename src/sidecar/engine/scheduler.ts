import type { Clock } from '../../base/clock.js';

/** In this order, always: the later one only gets a turn when none of the earlier ones wants it. */
const priorities = ['completion', 'chat', 'background'] as const;
export type Priority = (typeof priorities)[number];

/**
 * Lets one piece of engine work run at a time. A request takes a lane and does its work in short steps (a slice of prefill,
 * a decoded token); between steps the next one is chosen: completions first, then whichever lane has run the least, so that
 * two chats get equal time whatever their steps cost.
 */
export class Scheduler {
  private readonly lanes = new Set<Lane>();
  private waiting: { readonly lane: Lane; readonly grant: () => void }[] = [];
  private busy = false;

  constructor(private readonly clock: Clock) {}

  /** Lanes that wait for their turn. */
  get queued(): number {
    return this.waiting.length;
  }

  open(priority: Priority): Lane {
    // A newcomer starts level with the others, so it cannot claim the time that they used before it came.
    const peers = [...this.lanes].filter((lane) => lane.priority === priority).map((lane) => lane.ranMs);
    const lane: Lane = new Lane(priority, peers.length > 0 ? Math.min(...peers) : 0, this.clock,
      () => this.acquire(lane), () => this.release(), () => this.lanes.delete(lane), () => this.lanes.size > 1);
    this.lanes.add(lane);
    return lane;
  }

  private acquire(lane: Lane): Promise<void> | undefined {
    if (!this.busy) {
      this.busy = true;
      return undefined;
    }
    return new Promise((grant) => this.waiting.push({ lane, grant }));
  }

  private release(): void {
    if (this.waiting.length === 0) {
      this.busy = false;
      return;
    }
    // The lane that just finished asks again only in a later microtask: it must be among the candidates.
    setImmediate(() => this.grantNext());
  }

  private grantNext(): void {
    let best = 0;
    for (let i = 1; i < this.waiting.length; i++) if (goesBefore(this.waiting[i]?.lane, this.waiting[best]?.lane)) best = i;
    const [next] = this.waiting.splice(best, 1);
    if (next) next.grant();
    else this.busy = false;
  }
}

function goesBefore(a: Lane | undefined, b: Lane | undefined): boolean {
  if (!a || !b) return a !== undefined;
  if (a.priority !== b.priority) return priorities.indexOf(a.priority) < priorities.indexOf(b.priority);
  return a.ranMs < b.ranMs;
}

export class Lane {
  /** Milliseconds spent waiting for a turn. */
  waitedMs = 0;

  constructor(
    readonly priority: Priority, public ranMs: number, private readonly clock: Clock,
    private readonly acquire: () => Promise<void> | undefined, private readonly release: () => void, readonly close: () => void,
    /** Whether any other request is at work or waits. */
    readonly hasOthers: () => boolean,
  ) {}

  /** Runs `work` when it is this lane's turn; nothing else runs meanwhile. */
  async step<T>(work: () => Promise<T>): Promise<T> {
    const granted = this.acquire();
    if (granted) {
      const asked = this.clock.monotonic();
      await granted;
      this.waitedMs += this.clock.monotonic() - asked;
    }
    const began = this.clock.monotonic();
    try {
      return await work();
    } finally {
      this.ranMs += this.clock.monotonic() - began;
      this.release();
    }
  }
}
