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

/** Puts the name of what was chosen in place of the half-typed word: the question stays a sentence. Returns the new text and caret. */
export function completeMention(text: string, mention: Mention, label: string): { readonly text: string; readonly caret: number } {
  const after = text.slice(mention.start + 1 + mention.query.length);
  const before = text.slice(0, mention.start) + label;
  return { text: before + (/^\s/.test(after) ? after : ` ${after}`), caret: before.length + 1 };
}

/** Attachments that are left after an edit of the text: one whose name was taken out of it goes. */
export function attachmentsAfterEdit(attachments: readonly Attachment[], before: string, after: string): readonly Attachment[] {
  const left = attachments.filter((attachment) => !before.includes(attachmentLabel(attachment)) || after.includes(attachmentLabel(attachment)));
  return left.length === attachments.length ? attachments : left;
}

/** A question in parts: text, and attachments where the text names them. Those it does not name come last. */
export function questionParts(text: string, attachments: readonly Attachment[]): readonly (string | Attachment)[] {
  const parts: (string | Attachment)[] = [text];
  for (const attachment of attachments) {
    const label = attachmentLabel(attachment);
    const index = parts.findIndex((part) => typeof part === 'string' && part.includes(label));
    const part = parts[index];
    if (typeof part !== 'string') {
      parts.push(attachment);
      continue;
    }
    const at = part.indexOf(label);
    parts.splice(index, 1, part.slice(0, at), attachment, part.slice(at + label.length));
  }
  return parts.filter((part) => part !== '');
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
