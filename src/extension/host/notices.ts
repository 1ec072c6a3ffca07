import * as vscode from 'vscode';
import type { LoupeError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { nextSteps } from '../nextSteps.js';

/** Shows an error with its next step and buttons that take it. Cancelling is the user's own act: it is not reported. */
export async function showError(error: LoupeError, logger: Logger): Promise<void> {
  if (error.code === 'cancelled' || error.code === 'download.cancelled') return;
  logger.log('error', error.message, { code: error.code, cause: error.cause, data: error.data });
  const steps = nextSteps(error.code);
  const chosen = await vscode.window.showErrorMessage(`${error.message} ${error.next}`, ...steps.map((s) => s.title));
  const step = steps.find((s) => s.title === chosen);
  if (step) await vscode.commands.executeCommand(step.command, ...(step.argument === undefined ? [] : [step.argument]));
}
