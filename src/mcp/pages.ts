import { createHash } from 'node:crypto';
import { failure } from '../base/errors.js';

/**
 * Cursors say where a list goes on and which question it answers, so that one of another question is refused instead of
 * giving the wrong page. They hold no state: a list that changed in between goes on at the same place of the new one.
 */
const mostOffset = 20_000;

/** Where a page begins. Throws `tool.badArguments` for a cursor that is not one of ours, or of another question. */
export function offsetOf(cursor: string | undefined, question: unknown): number {
  if (cursor === undefined) return 0;
  const match = /^(\d{1,5})\.([0-9a-f]{12})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  const offset = Number(match?.[1]);
  if (!match || match[2] !== digest(question) || offset > mostOffset) {
    throw failure('tool.badArguments', 'The cursor does not belong to this question.', 'Pass nextCursor of the last answer with the same arguments, or leave it out.');
  }
  return offset;
}

/** A page of `size` items at `offset`, and the cursor of the next one. `items`: all that are known, from the first on. */
export function pageOf<T>(items: readonly T[], offset: number, size: number, question: unknown, more = false): { readonly items: readonly T[]; readonly nextCursor?: string } {
  const end = offset + size;
  const page = items.slice(offset, end);
  const goesOn = (items.length > end || more) && end <= mostOffset && page.length > 0;
  return { items: page, ...(goesOn ? { nextCursor: Buffer.from(`${offset + page.length}.${digest(question)}`, 'latin1').toString('base64url') } : {}) };
}

function digest(question: unknown): string {
  return createHash('sha256').update(JSON.stringify(question)).digest('hex').slice(0, 12);
}
