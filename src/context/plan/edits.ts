import { structuredPatch } from 'diff';
import { compare } from '../files/walk.js';
import type { KeptBlock, KeptEdit, KeptPlan, ShownFile } from './keptPlan.js';
import { displayText } from './display.js';
import { entryOf } from './mapEntries.js';
import { editTexts } from './render.js';
import type { RepositorySnapshot } from './snapshot.js';
import type { TokenCounter } from './tokenCounter.js';

/** Changed lines above which a file is shown anew instead of compared. */
const mostChangedLines = 1_000;
/** A patch longer than this share of the new text is harder to read than the text. */
const longestPatch = 0.6;

export interface Edits {
  readonly edits: readonly KeptEdit[];
  /** A file of the base that is no longer to be shown: ignored now, or with a secret in it. The base must be made anew without it. */
  readonly withdrawn: string | undefined;
}

/**
 * What has changed since the base of a plan was written: one block for each file, from the base's text to the present one, so that a file's note tells all
 * of it. The base stays as it is. Notes that are still right keep their place; the others follow, by path: an edit to one file rewrites its note and moves
 * it to the end, and the file that is edited over and over is soon the last.
 */
export async function editsSince(plan: KeptPlan, snapshot: RepositorySnapshot, counter: TokenCounter, signal: AbortSignal): Promise<Edits> {
  const shown = new Map(plan.base.flatMap((block) => block.shows.map((file) => [file.path, { file, block }] as const)));
  const unshown = new Set(plan.unshown);
  const kept = new Map(plan.edits.map((edit) => [edit.path, edit]));
  const changed: { readonly path: string; readonly hash: string; readonly text: string }[] = [];
  const still = new Set<string>();

  for (const path of [...new Set([...shown.keys(), ...snapshot.files.keys()])].sort(compare)) {
    signal.throwIfAborted();
    if (unshown.has(path)) continue;
    const before = shown.get(path);
    const now = snapshot.files.get(path);
    if (now === undefined) {
      if (!await snapshot.isGone(path)) return { edits: [], withdrawn: path };
    } else if (before?.file.hash === now.hash) continue;
    const hash = now?.hash ?? '';
    if (kept.get(path)?.hash === hash) {
      still.add(path);
      continue;
    }
    const text = now === undefined ? editTexts.gone(path) : await noteOn(path, before, snapshot, plan.mode);
    if (text !== undefined) changed.push({ path, hash, text });
  }
  const counts = await counter.countTokens(changed.map(({ text }) => text), signal);
  const edits: KeptEdit[] = changed.map((one, index) => ({ kind: 'edit', ...one, tokens: counts[index] ?? 0, shows: [] }));
  return { edits: [...plan.edits.filter(({ path }) => still.has(path)), ...edits], withdrawn: undefined };
}

/** Undefined where there is nothing to say: the lines that the map shows are the same, or the file is just being written. */
async function noteOn(path: string, before: { readonly file: ShownFile; readonly block: KeptBlock } | undefined, snapshot: RepositorySnapshot, mode: KeptPlan['mode']): Promise<string | undefined> {
  const facts = snapshot.files.get(path)?.facts;
  if (facts === undefined) return undefined;
  if (before?.file.as === 'map') {
    const { shown, all, entry } = before.file;
    const [known, listed] = [new Set(all), new Set(shown)];
    const now = entryOf(path, facts, ({ name }) => listed.has(name) || !known.has(name));
    return now === entry ? undefined : editTexts.symbols(now);
  }
  if (before === undefined && mode === 'map') return facts.symbols.length === 0 ? undefined : editTexts.symbols(entryOf(path, facts, () => true));
  const content = await snapshot.read(path);
  if (content === undefined) return undefined;
  const now = displayText(content);
  if (before?.file.as !== 'whole') return editTexts.whole(path, content);
  const old = before.block.text.slice(before.file.from, before.file.to);
  if (old === now) return undefined;
  const hunks = patch(old, now);
  return hunks !== undefined && hunks.length <= longestPatch * now.length ? editTexts.patch(path, hunks) : editTexts.whole(path, content);
}

/** The hunks of a unified diff, without its heading. By a limit on edits, not on time, so that it does not depend on the machine. */
function patch(old: string, now: string): string | undefined {
  const found = structuredPatch('a', 'b', old, now, '', '', { context: 3, maxEditLength: mostChangedLines });
  return found?.hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => [`@@ -${oldStart},${oldLines} +${newStart},${newLines} @@`, ...lines].join('\n')).join('\n');
}
