import type { LlamaContextSequence } from 'node-llama-cpp';
import * as z from 'zod';

const method = z.custom<(...args: never[]) => unknown>((value) => typeof value === 'function');
/** What node-llama-cpp keeps to itself and has no public method for: to go back to a checkpoint without having evaluated anything after it. */
const internalsSchema = z.object({
  _sequenceId: z.number().int(),
  _checkpoints: z.object({ getLastCheckpoint: method }),
  _context: z.object({ _ctx: z.object({ restoreCheckpoint: method }) }),
});

/**
 * Lays the cells of a sliding window out as they lie after a state was loaded: in one piece, without the cells that left the window. Attention adds up in
 * the order of cells, so the same tokens in another order of cells give sums that are rounded differently, and after some dozens of tokens another
 * text (measured: Gemma 3 270M in f16, after 36). The sequence must have a checkpoint at its end. Returns false where this node-llama-cpp cannot do it.
 */
export async function compactWindow(sequence: LlamaContextSequence): Promise<boolean> {
  const internals = internalsSchema.safeParse(sequence);
  if (!internals.success) return false;
  const last = sequence.nextTokenIndex - 1;
  const store: unknown = Reflect.get(sequence, '_checkpoints');
  const native: unknown = Reflect.get(sequence.context, '_ctx');
  const checkpoint: unknown = Reflect.apply(internals.data._checkpoints.getLastCheckpoint, store, [last, sequence.contextSize]);
  if (typeof checkpoint !== 'object' || checkpoint === null || Reflect.get(checkpoint, 'maxPos') !== last) return false;
  return (await Reflect.apply(internals.data._context._ctx.restoreCheckpoint, native, [checkpoint, last, internals.data._sequenceId])) === true;
}
