import { LoupeFailure, toError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import { showError } from '../host/notices.js';

/** Runs a command's handler; what goes wrong is shown with its next step, never lost. */
export async function runCommand(handler: (...args: readonly unknown[]) => Promise<void> | void, args: readonly unknown[], logger: Logger): Promise<void> {
  try {
    await handler(...args);
  } catch (thrown) {
    const error = toError(thrown);
    if (!(thrown instanceof LoupeFailure)) logger.log('error', 'A command failed', { cause: error.cause });
    await showError(error, logger);
  }
}
