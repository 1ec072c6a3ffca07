import { foldPath, isSecretPath } from '../../base/secretPaths.js';
import { holdsSecret } from './secretContent.js';

/** Why a file that the rules let through is not remembered. */
export type LeftOutReason = 'secret' | 'large' | 'binary' | 'generated' | 'minified' | 'data' | 'unreadable';

/** Bytes of the largest file that is read at all. */
export const mostFileBytes = 512 * 1024;
/** Bytes from which a file of structured data is no longer configuration. */
const mostDataBytes = 32 * 1024;

/** By name and size alone, before anything is opened. `.env.example` and its kind are left out too: people keep real values in them. */
export function leftOutByName(path: string, bytes: number): LeftOutReason | undefined {
  const name = foldPath(path).split('/').at(-1) ?? '';
  if (isSecretPath(path) || name.startsWith('.env') || /\.tfvars(\.json)?$/.test(name)) return 'secret';
  if (bytes > mostFileBytes) return 'large';
  if (bytes > mostDataBytes && /\.(json|jsonl|ndjson|geojson|ya?ml|xml|toml|txt|sql|html?|plist|xlf|po|resx)$/.test(name)) return 'data';
  return undefined;
}

/** The text of a file, or why it is left out. */
export function textOrReason(path: string, bytes: Uint8Array): { readonly text: string } | { readonly reason: LeftOutReason } {
  if (bytes.subarray(0, 8_192).includes(0)) return { reason: 'binary' };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { reason: 'binary' };
  }
  if (isGenerated(text)) return { reason: 'generated' };
  if (isMinified(path, text)) return { reason: 'minified' };
  if (holdsSecret(text)) return { reason: 'secret' };
  return { text };
}

/** By what generators write into the head of their files: `@generated`, or words that say so and that ask not to edit. */
export function isGenerated(text: string): boolean {
  const head = text.slice(0, 1_500);
  if (/^\W{0,6}@generated\b/m.test(head)) return true;
  return /^\W{0,6}.{0,80}\b(?:auto-?generated|automatically generated|code generated|generated (?:by|from|file|code))\b/im.test(head)
    && /\bdo not (?:edit|modify|change)\b|\bchanges .{0,60}\b(?:lost|overwritten)\b/i.test(head);
}

/** Code whose lines nobody wrote: very long on average, or one that no screen shows. Prose has a line for each paragraph. */
export function isMinified(path: string, text: string): boolean {
  if (text.length < 4_096 || /\.(md|mdx|markdown|rst|adoc|txt|tex)$/i.test(path)) return false;
  let lines = 1;
  let longest = 0;
  let from = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
    longest = Math.max(longest, at - from);
    from = at + 1;
    lines++;
  }
  longest = Math.max(longest, text.length - from);
  return text.length / lines > 250 || longest > 20_000;
}
