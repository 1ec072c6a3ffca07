import type { Attachment } from '../../../protocol/conversation.js';

/** An `@` word being typed: from the `@` at `start` to the caret. */
export interface Mention { readonly start: number; readonly query: string }

/** The mention that ends at the caret, if any. An `@` inside a word (an e-mail address, a decorator after a dot) is none. */
export function mentionAt(text: string, caret: number): Mention | undefined {
  const match = /(?:^|[\s(])@([^\s@]*)$/.exec(text.slice(0, caret));
  if (!match) return undefined;
  const query = match[1] ?? '';
  return { start: caret - query.length - 1, query };
}

/** Takes the mention out of the text: what it names becomes a chip. Returns the new text and caret. */
export function removeMention(text: string, mention: Mention): { readonly text: string; readonly caret: number } {
  const after = text.slice(mention.start + 1 + mention.query.length);
  const before = text.slice(0, mention.start);
  const gap = before.endsWith(' ') && after.startsWith(' ') ? after.slice(1) : after;
  return { text: before + gap, caret: before.length };
}

export type Suggestion =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'selection' | 'problems' | 'changes' };

const fixed = [
  { kind: 'selection', description: 'the selected lines of the active editor' },
  { kind: 'problems', description: 'errors and warnings of the workspace' },
  { kind: 'changes', description: 'uncommitted changes' },
] as const;

export const descriptionOf = (kind: Suggestion['kind']): string => fixed.find((item) => item.kind === kind)?.description ?? '';

/** Special mentions that the query may mean, then the files the host found. */
export function suggestionsFor(query: string, files: readonly string[]): readonly Suggestion[] {
  const lower = query.toLowerCase();
  const special = fixed.filter(({ kind }) => kind.startsWith(lower)).map(({ kind }): Suggestion => ({ kind }));
  return [...special, ...files.map((path): Suggestion => ({ kind: 'file', path }))];
}

export const sameAttachment = (a: Attachment, b: Attachment): boolean =>
  a.kind === b.kind && a.path === b.path && a.startLine === b.startLine && a.endLine === b.endLine;

/** "@snapshotStore.ts", "@snapshotStore.ts:12–88", "@problems". The full path is the chip's tooltip. */
export function attachmentLabel(attachment: Attachment): string {
  const name = attachment.path.split('/').at(-1) ?? '';
  if (attachment.kind === 'problems') return name ? `@problems ${name}` : '@problems';
  if (attachment.kind === 'changes') return '@changes';
  const { startLine, endLine } = attachment;
  const range = startLine === undefined ? '' : endLine === undefined || endLine === startLine ? `:${startLine}` : `:${startLine}–${endLine}`;
  return `@${name}${range}`;
}
