import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { MemoryPlan } from '../../../src/protocol/context.js';

/**
 * Changes one line in the middle of each of `count` files, those first that stand in the plan as a whole, since only of these every line counts. The words hold the count,
 * so that no note is one of another run. Returns the paths, and what puts the files back.
 */
export async function editOneLine(folder: string, plan: MemoryPlan, count: number): Promise<{ readonly paths: readonly string[]; undo(): Promise<void> }> {
  const shown = plan.blocks.flatMap(({ kind, path: one }) => (kind === 'file' && one !== undefined ? [one] : []));
  const mapped = plan.blocks.flatMap(({ kind, text }) => (kind === 'map' ? text.split('\n').filter((line) => /^\S+\.[jt]s$/.test(line)) : []));
  const paths = [...shown, ...mapped].slice(0, count);
  const before = new Map<string, string>();
  for (const one of paths) {
    const file = path.join(folder, one);
    const text = await readFile(file, 'utf8');
    before.set(file, text);
    const lines = text.split('\n');
    const at = middleOf(lines);
    await writeFile(file, lines.with(at, `${lines[at] ?? ''} // changed with ${count}`).join('\n'));
  }
  return { paths, undo: async () => { for (const [file, text] of before) await writeFile(file, text); } };
}

/** The line nearest to the middle that is not empty. */
function middleOf(lines: readonly string[]): number {
  const middle = Math.floor(lines.length / 2);
  const found = lines.findIndex((line, at) => at >= middle && line.trim() !== '');
  return found === -1 ? 0 : found;
}
