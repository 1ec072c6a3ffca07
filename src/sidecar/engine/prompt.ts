import { LlamaVocabularyType, type LlamaModel, type Token } from 'node-llama-cpp';
import { failure } from '../../base/errors.js';
import type { PromptSegment } from '../../protocol/sidecar.js';
import { TokenCache } from './tokenCache.js';

const caches = new WeakMap<LlamaModel, TokenCache>();

/**
 * Tokens of the segments. Only `control` segments can give control tokens: what a file, a tool or a user says never does.
 * Each segment is tokenised alone, so the tokens of a prompt never change when something is appended to it.
 */
export function tokenizeSegments(model: LlamaModel, segments: readonly PromptSegment[], onBorder: (tokens: number) => void = () => undefined): Token[] {
  // Such vocabularies put a space before every text they are given; within a prompt it would be one too many.
  const addsSpace = model.vocabularyType === LlamaVocabularyType.spm && model.fileInfo.metadata.tokenizer.ggml.add_space_prefix !== false;
  const cache = caches.get(model) ?? new TokenCache();
  caches.set(model, cache);
  const tokens: Token[] = [];
  for (const { text, control, border } of segments) {
    const trim = addsSpace && tokens.length > 0 ? 'trimLeadingSpace' : undefined;
    const some = cache.get(`${control} ${trim}`, text, () => model.tokenize(text, control, trim));
    for (const token of some) tokens.push(token);
    if (border === true) onBorder(tokens.length);
  }
  return tokens;
}

export interface Prompt {
  readonly tokens: readonly Token[];
  /** Numbers of tokens before each border, ascending. */
  readonly borders: readonly number[];
}

/** The whole prompt as the model wants it: with the begin-of-text token in front where the file asks for one. */
export function promptTokens(model: LlamaModel, segments: readonly PromptSegment[], contextSize: number): Prompt {
  const ends = new Set<number>();
  const tokens = tokenizeSegments(model, segments, (end) => ends.add(end));
  const { bos, shouldPrependBosToken } = model.tokens;
  const before = shouldPrependBosToken && bos !== null && tokens[0] !== bos ? 1 : 0;
  if (before === 1 && bos !== null) tokens.unshift(bos);
  if (tokens.length === 0) throw failure('sidecar.protocol', 'The prompt is empty.', 'Ask with some text.');
  if (tokens.length > usableContext(contextSize)) {
    throw failure('context.overflow', `The prompt has ${tokens.length} tokens, and the model's context holds ${contextSize}.`,
      'Start a new chat, attach less, or choose a larger context size.', undefined, { tokens: tokens.length, contextSize });
  }
  return { tokens, borders: [...ends].filter((end) => end > 0).map((end) => end + before) };
}

/** node-llama-cpp keeps one cell free, and shifts the context when it would need it: this must never happen here. */
export const usableContext = (contextSize: number): number => contextSize - 1;
