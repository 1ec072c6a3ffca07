import { makeError } from '../../base/errors.js';
import { err, type Result } from '../../base/result.js';

export const cancelled = makeError('cancelled', 'Cancelled.', 'Ask again when you are ready.');

/** Work that others wait for too: an aborted signal ends only this waiting. */
export async function untilAborted<T>(work: Promise<Result<T>>, signal: AbortSignal): Promise<Result<T>> {
  if (signal.aborted) return err(cancelled);
  let stop = (): void => undefined;
  const aborted = new Promise<Result<T>>((resolve) => {
    stop = () => resolve(err(cancelled));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
