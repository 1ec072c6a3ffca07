import type { MemoryPlan } from '../../protocol/context.js';
import { sha256 } from '../store/hash.js';
import type { IndexStore } from '../store/indexStore.js';
import { makeBase } from './base.js';
import { editsSince } from './edits.js';
import { chained, deserialise, type KeptBlock, type KeptPlan, planVersion, reserveForEdits, serialise, tokensOf } from './keptPlan.js';
import type { RepositorySnapshot } from './snapshot.js';
import { remembering, type TokenCounter } from './tokenCounter.js';

export interface PlanOptions {
  /** Most tokens of all blocks together. */
  readonly budget: number;
}

/**
 * The plan of what a prompt remembers, kept from turn to turn and from start to start. The rule by which it changes:
 *
 * 1. The base is frozen when a plan is made. What is open, what is ranked how and what history says decide then, and not again.
 * 2. Edits are told after it, in notes; see `editsSince`.
 * 3. It is made anew for another budget, tokenizer or version of the blocks; when the notes are longer than what is reserved for them, and when a file of the base
 *    must not be shown any more. Nothing else makes it anew.
 */
export class Planner {
  constructor(private readonly store: IndexStore) {}

  /** The plan as it was answered last, whatever has changed since: for the turns of a conversation. Looks at no file. */
  kept(name: string, tokenizer: TokenCounter, { budget }: PlanOptions): MemoryPlan | undefined {
    const kept = this.read(keyOf(name, tokenizer, budget));
    return kept && answer(kept, blocksOf(kept), undefined);
  }

  /** Rejects with the signal's reason; the plan is then as it was. */
  async plan(snapshot: RepositorySnapshot, tokenizer: TokenCounter, { budget }: PlanOptions, signal: AbortSignal): Promise<MemoryPlan> {
    const counter = remembering(tokenizer, this.store);
    const key = keyOf(snapshot.name, tokenizer, budget);
    const kept = this.read(key);
    const { plan, renewed } = await this.next(kept, key, snapshot, counter, budget, signal);
    signal.throwIfAborted();
    if (plan !== kept) this.store.putValue(placeOf(key), serialise(plan));
    return answer(plan, kept === undefined ? [] : blocksOf(kept), renewed);
  }

  private read(key: string): KeptPlan | undefined {
    return deserialise(this.store.value(placeOf(key)));
  }

  private async next(
    kept: KeptPlan | undefined, key: string, snapshot: RepositorySnapshot, counter: TokenCounter, budget: number, signal: AbortSignal,
  ): Promise<{ plan: KeptPlan; renewed: string | undefined }> {
    let renewed = 'there was none for this budget and tokenizer';
    if (kept !== undefined) {
      const { edits, withdrawn } = await editsSince(kept, snapshot, counter, signal);
      if (withdrawn !== undefined) renewed = 'a file is left out now';
      else if (tokensOf(edits) > reserveForEdits(budget)) renewed = 'the notes on edits are longer than their reserve';
      else {
        const same = edits.length === kept.edits.length && edits.every((edit, index) => edit === kept.edits[index]);
        return { plan: same ? kept : { ...kept, edits }, renewed: undefined };
      }
    }
    const { mode, blocks } = await makeBase(snapshot, budget - reserveForEdits(budget), counter, kept, signal);
    const shown = new Set(blocks.flatMap(({ shows }) => shows.map(({ path }) => path)));
    const unshown = mode === 'whole' ? [] : [...snapshot.files.keys()].filter((path) => !shown.has(path));
    return { plan: { version: planVersion, key, mode, base: blocks, unshown, edits: [] }, renewed };
  }
}

const keyOf = (name: string, tokenizer: TokenCounter, budget: number): string => sha256(JSON.stringify([name, budget, tokenizer.id]));
const placeOf = (key: string): string => `plan ${key}`;
const blocksOf = ({ base, edits }: KeptPlan): readonly KeptBlock[] => [...base, ...edits];

function answer(plan: KeptPlan, before: readonly KeptBlock[], renewed: string | undefined): MemoryPlan {
  const now = blocksOf(plan);
  const differs = now.findIndex(({ text }, index) => text !== before[index]?.text);
  const unchangedBlocks = differs === -1 ? now.length : differs;
  const shows = plan.base.flatMap((block) => block.shows);
  return {
    mode: plan.mode, blocks: chained(now), tokens: tokensOf(now), unchangedBlocks, unchangedTokens: tokensOf(now.slice(0, unchangedBlocks)),
    ...(renewed === undefined ? {} : { renewed }),
    files: { indexed: shows.length + plan.unshown.length, whole: shows.filter(({ as }) => as === 'whole').length, mapped: shows.filter(({ as }) => as === 'map').length },
  };
}
