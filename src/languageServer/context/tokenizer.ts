import { failure, LoupeFailure } from '../../base/errors.js';
import type { TokenCounter } from '../../context/plan/tokenCounter.js';
import type { Engine } from '../../model/engine.js';
import type { ModelRole } from '../../protocol/sidecar.js';

/** Requests to the sidecar at one time: enough to hide the way there and back, few enough to leave it to others. */
const atOnce = 8;

/** The tokenizer of the model that is loaded for a role. Rejects with `model.none` while there is none. */
export async function tokenizerOf(engine: Engine, role: ModelRole): Promise<TokenCounter> {
  const status = await engine.status();
  if (!status.ok) throw new LoupeFailure(status.error);
  const state = status.value.roles[role];
  if (state.state !== 'ready') throw failure('model.none', `No model is loaded for ${role}.`, 'Ask again when the model is ready.');
  const { name, architecture, fileBytes } = state.model;
  return {
    id: `${architecture} ${name} ${fileBytes}`,
    countTokens: async (texts, signal) => {
      const counts = new Array<number>(texts.length).fill(0);
      let next = 0;
      const worker = async (): Promise<void> => {
        while (next < texts.length) {
          signal.throwIfAborted();
          const index = next++;
          const counted = await engine.tokenize(role, [{ text: texts[index] ?? '', control: false }], signal);
          if (!counted.ok) throw new LoupeFailure(counted.error);
          counts[index] = counted.value.tokens.length;
        }
      };
      await Promise.all(Array.from({ length: Math.min(atOnce, texts.length) }, worker));
      return counts;
    },
  };
}
