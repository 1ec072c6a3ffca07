import type { AgentEvent } from '../protocol/agentEvents.js';
import { terminalSafe } from './report.js';

/** Where text goes. Progress is for eyes only: it is left out where nobody looks. */
export interface Output {
  /** Standard output: the answer. */
  write(text: string): void;
  /** Standard error: everything else. */
  note(text: string): void;
  readonly progress: boolean;
}

const clearLine = '\r\u001b[K';

/** Shows a turn while it runs: text as it comes, what the agent is doing on a line that is overwritten. */
export class LiveView {
  private lineOpen = false;
  private textOpen = false;

  constructor(private readonly output: Output) {}

  show(event: AgentEvent): void {
    switch (event.type) {
      case 'hopStarted':
        if (this.textOpen) this.output.write('\n');
        this.textOpen = false;
        return this.status(`step ${event.hop}`);
      case 'modelProgress':
        return this.status(event.phase === 'queue' ? 'waiting for the model' : `reading ${event.done} of ${event.total} tokens`);
      case 'textDelta':
        this.clear();
        this.textOpen = !event.text.endsWith('\n');
        return this.output.write(terminalSafe(event.text));
      case 'toolStarted':
        if (this.textOpen) this.output.write('\n');
        this.textOpen = false;
        return this.status(event.call.name);
      case 'toolFinished':
        return this.line(`· ${event.name}: ${event.summary}`);
      case 'condensed':
        return this.line(`· context condensed from ${event.tokensBefore} to ${event.tokensAfter} tokens`);
      case 'malformedCall':
        return this.line(`· unusable tool call (${event.problem}), ${event.repair === 'retrying' ? 'asked again' : 'given up'}`);
      case 'turnFinished':
        this.clear();
        if (this.textOpen) this.output.write('\n');
        return;
      default:
        return;
    }
  }

  status(text: string): void {
    if (!this.output.progress) return;
    this.output.note(`${clearLine}${terminalSafe(text).replaceAll('\n', ' ').slice(0, 78)}`);
    this.lineOpen = true;
  }

  private line(text: string): void {
    if (!this.output.progress) return;
    this.clear();
    this.output.note(`${terminalSafe(text).replaceAll('\n', ' ')}\n`);
  }

  clear(): void {
    if (this.lineOpen) this.output.note(clearLine);
    this.lineOpen = false;
  }
}
