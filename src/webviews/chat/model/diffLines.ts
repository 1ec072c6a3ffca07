import { structuredPatch } from 'diff';
import type { FileEdit } from '../../../protocol/agentEvents.js';

export interface DiffLine {
  readonly kind: 'added' | 'removed' | 'context' | 'gap' | 'note';
  readonly text: string;
  /** 1-based line in the old and in the new file, where the line exists there. */
  readonly oldLine?: number;
  readonly newLine?: number;
}

export interface DiffView {
  readonly lines: readonly DiffLine[];
  readonly added: number;
  readonly removed: number;
  /** Lines left out of `lines` because there are too many; the diff editor shows them. */
  readonly omitted: number;
}

const contextLines = 3;

/** Unified diff of a proposed edit, cut after `limit` lines. Line ends that both sides share are not shown as changes. */
export function diffLines(edit: Pick<FileEdit, 'path' | 'before' | 'after'>, limit: number): DiffView {
  const patch = structuredPatch(edit.path, edit.path, edit.before, edit.after, undefined, undefined, { context: contextLines });
  const lines: DiffLine[] = [];
  let added = 0;
  let removed = 0;
  for (const hunk of patch.hunks) {
    let oldLine = hunk.oldStart;
    let newLine = hunk.newStart;
    if (lines.length > 0 || hunk.oldStart > 1) lines.push({ kind: 'gap', text: `line ${hunk.newStart}` });
    for (const raw of hunk.lines) {
      const text = raw.slice(1).replace(/\r$/, '');
      if (raw.startsWith('+')) {
        added++;
        lines.push({ kind: 'added', text, newLine: newLine++ });
      } else if (raw.startsWith('-')) {
        removed++;
        lines.push({ kind: 'removed', text, oldLine: oldLine++ });
      } else if (raw.startsWith('\\')) lines.push({ kind: 'note', text: raw.slice(2) });
      else lines.push({ kind: 'context', text, oldLine: oldLine++, newLine: newLine++ });
    }
  }
  if (added + removed > 0 && endings(edit.before) !== endings(edit.after) && edit.before !== '') {
    lines.push({ kind: 'note', text: `line ends change from ${endings(edit.before)} to ${endings(edit.after)}` });
  }
  const omitted = Math.max(0, lines.length - limit);
  return { lines: omitted > 0 ? lines.slice(0, limit) : lines, added, removed, omitted };
}

function endings(text: string): 'CRLF' | 'LF' | 'mixed' | 'none' {
  const crlf = (text.match(/\r\n/g) ?? []).length;
  const all = (text.match(/\n/g) ?? []).length;
  if (all === 0) return 'none';
  return crlf === all ? 'CRLF' : crlf === 0 ? 'LF' : 'mixed';
}
