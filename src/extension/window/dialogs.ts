import * as vscode from 'vscode';
import { failure } from '../../base/errors.js';
import type { Decision } from '../../protocol/agentEvents.js';

/** Dialogs that wait at once, the one that is shown included. */
const mostWaiting = 3;

/** Dialogs one after the other, whoever asks: a second one must not take the place of the first while the user presses a key. */
export class Dialogs {
  private waiting = 0;
  private last: Promise<unknown> = Promise.resolve();

  /** Throws `tool.refused` when too much waits already. */
  async ask(message: string, detail: string, signal: AbortSignal): Promise<Decision> {
    if (this.waiting >= mostWaiting) throw failure('tool.refused', 'Too many requests wait for the user already.', 'Wait for their decision.');
    this.waiting += 1;
    const decided = this.last.then(() => show(message, detail, signal));
    this.last = decided.catch(() => undefined); // it failed for who asked; the next one is asked all the same
    try {
      return await decided;
    } finally {
      this.waiting -= 1;
    }
  }
}

const refuse = 'Do Not Run';
const allow = 'Run';

async function show(message: string, detail: string, signal: AbortSignal): Promise<Decision> {
  signal.throwIfAborted();
  // The first button has the focus: a dialog that opens while the user types must not take their Enter for a yes.
  const chosen = await vscode.window.showWarningMessage(message, { modal: true, detail }, refuse, allow);
  signal.throwIfAborted(); // who asked is gone: a late yes is none
  return chosen === allow ? 'accepted' : 'rejected';
}
