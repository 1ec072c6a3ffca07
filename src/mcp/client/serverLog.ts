import { revealHidden } from '../../base/hiddenText.js';

const longestLine = 2_000;
const linesInWindow = 200;
const windowMs = 1_000;

/** What a server writes for people, on its way to a log view: hidden characters as escapes, lines cut, and no more lines a second than a person could scroll past. */
export class ServerLog {
  private windowBegan = -Infinity;
  private lines = 0;
  private dropped = 0;

  constructor(private readonly write: (text: string) => void, private readonly nowMs: () => number = () => performance.now()) {}

  line(text: string): void {
    const now = this.nowMs();
    if (now - this.windowBegan >= windowMs) {
      this.flush();
      this.windowBegan = now;
      this.lines = 0;
    }
    if (++this.lines > linesInWindow) {
      this.dropped += 1;
      return;
    }
    this.write(revealHidden(text.length > longestLine ? `${text.slice(0, longestLine)}… (${text.length.toLocaleString('en-US')} characters)` : text).text);
  }

  /** Says how much was left out. */
  flush(): void {
    if (this.dropped > 0) this.write(`[${this.dropped.toLocaleString('en-US')} lines left out]`);
    this.dropped = 0;
  }
}
