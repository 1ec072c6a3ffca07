import { type CursorText, isWordChar, linePrefix, lineSuffix } from './cursorText.js';

const shortestMs = 60;
const longestMs = 1000;
/** Where a pause is longer than this, the user was not typing. */
const typingGapMs = 1000;
const smoothing = 0.3;

/**
 * How long to wait after a keystroke before asking the model. After Tabby's adaptive debounce: clamp(rate x typing interval -
 * response time), with a rate of 1.5 where a suggestion is likely wanted and 3 where it is not. A local model adds one rule: while
 * keys come at a steady pace no request starts at all, however slow the model is, since each would be thrown away half read
 * and keep every core busy.
 */
export class AdaptiveDebounce {
  private intervalMs = 200;
  private responseMs = 0;
  private lastKeyMs: number | undefined;

  /** A keystroke at `nowMs`, on a monotonic clock. */
  typed(nowMs: number): void {
    const gap = this.lastKeyMs === undefined ? Infinity : nowMs - this.lastKeyMs;
    this.lastKeyMs = nowMs;
    if (gap <= typingGapMs) this.intervalMs += smoothing * (gap - this.intervalMs);
  }

  /** The model answered after `ms`, without the wait. */
  responded(ms: number): void {
    this.responseMs = this.responseMs === 0 ? ms : this.responseMs + smoothing * (ms - this.responseMs);
  }

  delayMs(cursor: CursorText): number {
    const rate = 3 - 1.5 * likelihood(cursor);
    const steadyPace = 1.2 * this.intervalMs;
    return Math.min(longestMs, Math.max(shortestMs, steadyPace, rate * this.intervalMs - this.responseMs));
  }
}

/** 0..1: how likely a suggestion is wanted here. After an operator or bracket and at the end of a line: likely; inside a word: less. */
export function likelihood(cursor: CursorText): number {
  const left = linePrefix(cursor);
  const afterBoundary = left.trim() === '' || !isWordChar(left.at(-1));
  const atLineEnd = lineSuffix(cursor).trim() === '';
  return (afterBoundary ? 0.6 : 0) + (atLineEnd ? 0.4 : 0);
}

/** Resolves after `ms`, or rejects with the signal's reason as soon as it is aborted. */
export function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
