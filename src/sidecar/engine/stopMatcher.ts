/** Finds stop strings in streamed text and never lets a part of one through. */
export class StopMatcher {
  private readonly stops: readonly string[];
  private held = '';
  private found: string | undefined;

  constructor(stops: readonly string[]) {
    this.stops = stops.filter((stop) => stop !== '');
  }

  get stopped(): boolean {
    return this.found !== undefined;
  }

  /** The stop string that was found first. */
  get stop(): string | undefined {
    return this.found;
  }

  /** Takes more text and returns what is safe to show: everything before a stop string, less what may become one. */
  push(text: string): string {
    if (this.found !== undefined) return '';
    this.held += text;
    let end = Infinity;
    for (const stop of this.stops) {
      const at = this.held.indexOf(stop);
      if (at < 0 || at >= end) continue;
      end = at;
      this.found = stop;
    }
    if (this.found !== undefined) {
      const safe = this.held.slice(0, end);
      this.held = '';
      return safe;
    }
    const keep = Math.max(0, ...this.stops.map((stop) => overlap(this.held, stop)));
    const safe = this.held.slice(0, this.held.length - keep);
    this.held = this.held.slice(this.held.length - keep);
    return safe;
  }

  /** What was held back, when nothing follows that could complete a stop string. */
  flush(): string {
    const rest = this.held;
    this.held = '';
    return rest;
  }
}

/** Length of the longest end of `text` that is a beginning of `stop`, the whole of `stop` excepted. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
