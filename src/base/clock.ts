/** Time, injected so that tests decide what it is. */
export interface Clock {
  /** Milliseconds since the Unix epoch: for records that people read. */
  now(): number;
  /** Milliseconds from an arbitrary start, never going back: for durations and time-outs. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
