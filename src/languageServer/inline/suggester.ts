import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/logger.js';
import type { Engine } from '../../model/engine.js';
import { renderFim } from '../../model/fillInMiddle.js';
import type { GenerationStats } from '../../protocol/chat.js';
import type { InlineMeasurement } from '../../protocol/inline.js';
import type { CompletionModel, ReadyModel } from '../completionModel.js';
import { BudgetPlanner } from './budget.js';
import { CompletionCache } from './completionCache.js';
import type { CursorText } from './cursorText.js';
import { AdaptiveDebounce, wait } from './debounce.js';
import { review, type Verdict } from './filters.js';
import { opensBlock } from './languages.js';
import { type PromptParts, PromptBuilder } from './promptBuilder.js';
import { withoutRepeatedStart } from './repeatedStart.js';
import { decideShape, type Shape } from './shape.js';
import { limit, type Limited } from './stopRules.js';
import { whySkip } from './trigger.js';

export interface SuggestRequest {
  readonly uri: string;
  /** As the model should see it: relative to the workspace folder, forward slashes. */
  readonly path: string;
  /** 0-based line of the cursor. */
  readonly line: number;
  readonly cursor: CursorText;
  /** Asked for by the user's command, not by typing. */
  readonly invoked: boolean;
  /** Longest suggestion in tokens. */
  readonly maxTokens: number;
}

/** A block that appears by itself gets no further lines after this. Its first line is always finished: half a line misleads. */
const automaticDecodeMs = 1500;
/** A rest of a line is seldom longer. */
const lineTokens = 48;

/** From a cursor to a suggestion: trigger rules, cache, debounce, prompt, generation with stop rules, review. */
export class Suggester {
  private readonly cache = new CompletionCache();
  private readonly debounce = new AdaptiveDebounce();
  private readonly budget = new BudgetPlanner();
  private readonly prompts: PromptBuilder;
  private requests = 0;

  constructor(
    private readonly engine: Engine,
    private readonly model: CompletionModel,
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly onMeasured: (measurement: InlineMeasurement) => void,
  ) {
    this.prompts = new PromptBuilder(engine);
  }

  /** Text to insert at the cursor; undefined when there is nothing worth showing, or when the signal is aborted. */
  async suggest(request: SuggestRequest, signal: AbortSignal): Promise<string | undefined> {
    const startedAt = this.clock.monotonic();
    const { cursor, uri, invoked } = request;
    this.debounce.typed(startedAt);
    this.prompts.visited(request);
    if (whySkip(cursor, invoked) !== undefined) return undefined;

    const cached = this.cache.get(uri, cursor.before, cursor.after);
    if (cached !== undefined && !(invoked && cached === '')) {
      return this.show({ text: cached }, request, { source: 'cache', debounceMs: 0, startedAt });
    }
    this.model.prepare();
    const debounceMs = invoked ? 0 : this.debounce.delayMs(cursor);
    try {
      await wait(debounceMs, signal);
    } catch {
      return undefined; // only an abort ends the wait
    }
    const model = await this.model.whenReady(signal);
    if (model === undefined || signal.aborted) return undefined;
    return await this.ask(model, request, { source: 'model', debounceMs, startedAt }, signal);
  }

  /** Another model, or other settings: earlier completions no longer say what it would say. */
  reset(): void {
    this.cache.clear();
    this.prompts.reset();
  }

  forget(uri: string): void {
    this.prompts.forget(uri);
  }

  private async ask(model: ReadyModel, request: SuggestRequest, timing: Timing, signal: AbortSignal): Promise<string | undefined> {
    const { cursor, uri } = request;
    const askedAt = this.clock.monotonic();
    const shape = decideShape(cursor);
    const maxTokens = shape.kind === 'line' ? Math.min(request.maxTokens, lineTokens) : request.maxTokens;
    const parts = await this.prompts.build(request, this.budget.plan(model.loaded.contextSize, maxTokens), model.format, signal);
    if (parts === undefined || signal.aborted) return undefined;
    const generated = await this.generate(model, parts, shape, maxTokens, request, signal);
    if (generated === undefined) return undefined;
    this.debounce.responded(this.clock.monotonic() - askedAt);
    this.budget.measured(generated.stats);
    const found = withoutRepeatedStart(generated.text, cursor);
    this.cache.set(uri, cursor.before, cursor.after, 'text' in found ? found.text.trimEnd() : '');
    return this.show(found, request, { ...timing, stats: generated.stats, ...(generated.stop === undefined ? {} : { stop: generated.stop }) });
  }

  private async generate(model: ReadyModel, parts: PromptParts, shape: Shape, maxTokens: number, request: SuggestRequest, signal: AbortSignal): Promise<(Limited & { stats: GenerationStats }) | undefined> {
    const enough = new AbortController();
    let text = '';
    let limited: Limited = { text: '' };
    let firstDeltaAt: number | undefined;
    const onDelta = (delta: { readonly text: string }): void => {
      firstDeltaAt ??= this.clock.monotonic();
      text += delta.text;
      if (enough.signal.aborted) return;
      if (delta.text.includes('\n')) limited = limit(text, false, shape, request.cursor);
      const late = !request.invoked && hasWholeLine(text) && this.clock.monotonic() - firstDeltaAt > automaticDecodeMs;
      if (limited.stop !== undefined || late) enough.abort();
    };
    const result = await this.engine.generate({
      id: `inline-${process.pid}-${++this.requests}`,
      role: 'completion',
      conversation: 'inline',
      prompt: renderFim(model.format, parts),
      maxTokens,
      stop: [...model.format.stop, ...(shape.kind === 'line' ? ['\n'] : [])],
      sampling: { temperature: 0 },
    }, { onDelta }, AbortSignal.any([signal, enough.signal]));
    if (!result.ok) {
      this.logger.log('debug', 'No suggestion', { code: result.error.code, message: result.error.message });
      if (result.error.code === 'context.overflow') this.prompts.reset();
      return undefined;
    }
    const { stats } = result.value;
    // Aborted by us, or by the sidecar for another window's request: what there is says nothing about this place.
    if (signal.aborted || (stats.finish === 'cancelled' && !enough.signal.aborted)) return undefined;
    if (limited.stop !== undefined) return { ...limited, stats };
    const ended = stats.finish === 'stop';
    const final = limit(enough.signal.aborted ? text : result.value.text, ended, shape, request.cursor);
    return { ...final, text: ended || final.stop !== undefined ? final.text : wholeLines(final.text, request.cursor.languageId), stats };
  }

  private show(found: Verdict, request: SuggestRequest, { source, debounceMs, startedAt, stats, stop }: Timing): string | undefined {
    const verdict = 'text' in found ? review(found.text, request.cursor) : found;
    const text = 'text' in verdict ? verdict.text : undefined;
    const reason = 'rejected' in verdict ? verdict.rejected : stop;
    this.onMeasured({
      source, debounceMs, shown: text !== undefined, totalMs: this.clock.monotonic() - startedAt,
      ...(reason === undefined ? {} : { reason }), ...(stats === undefined ? {} : { stats }),
    });
    return text;
  }
}

interface Timing {
  readonly source: 'model' | 'cache';
  readonly debounceMs: number;
  readonly startedAt: number;
  readonly stats?: GenerationStats;
  readonly stop?: string;
}

/** Without the line that was cut short, and without an opener of a block that did not come, when there are others. */
function wholeLines(text: string, languageId: string): string {
  let whole = text;
  do {
    if (!hasWholeLine(whole)) return whole;
    whole = whole.slice(0, whole.lastIndexOf('\n'));
  } while (opensBlock(whole.slice(whole.lastIndexOf('\n') + 1), languageId));
  return whole;
}

const hasWholeLine = (text: string): boolean => text.slice(0, Math.max(0, text.lastIndexOf('\n'))).trim() !== '';
