import * as vscode from 'vscode';
import { type Disposable, toDisposable } from '../../base/disposable.js';
import { toError } from '../../base/errors.js';
import type { Logger } from '../../base/logger.js';
import type { FileBatches, Recovered } from '../../agent/workspace/fileBatch.js';
import type { Trust } from '../trust.js';

export interface RecoverDeps {
  readonly trust: Trust;
  /** Paths of the open folders. */
  readonly roots: () => readonly string[];
  readonly batches: (root: string) => Pick<FileBatches, 'recover'>;
  readonly logger: Logger;
}

/** Finishes or takes back what a window that died had begun, once the workspace is trusted. Files that changed since are named, not touched. */
export function recoverBatches(deps: RecoverDeps): Disposable {
  if (!deps.trust.granted) return deps.trust.onGranted(() => recoverNow(deps));
  recoverNow(deps);
  return toDisposable(() => undefined);
}

function recoverNow({ roots, batches, logger }: RecoverDeps): void {
  for (const root of roots()) {
    batches(root).recover().then((all) => {
      for (const recovered of all) tell(recovered, logger);
    }, (thrown: unknown) => logger.log('error', 'A change that was cut off could not be settled', { error: toError(thrown) }));
  }
}

function tell({ outcome, files, left }: Recovered, logger: Logger): void {
  logger.log('warn', 'A change that was cut off is settled', { outcome, files, left });
  const what = outcome === 'finished' ? `was finished: ${files} files are as they were to be.`
    : outcome === 'takenBack' ? `was taken back. You changed since, and it was left alone: ${left.join(', ') || 'nothing'}.`
    : 'cannot be settled, since its journal is damaged. Look at the files that it was about.';
  void vscode.window.showWarningMessage(`Undoing was cut off when the window closed. It ${what}`);
}
