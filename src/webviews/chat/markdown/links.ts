/**
 * What a link in a model's answer may do. The text is hostile: only two targets exist, a web address that the host opens
 * after the user's click, and a place in the workspace that the host checks. Every other scheme is dead text.
 */
export type LinkTarget =
  | { readonly kind: 'external'; readonly url: string }
  | { readonly kind: 'location'; readonly path: string; readonly line?: number }
  | { readonly kind: 'dead' };

export type LocationTarget = Extract<LinkTarget, { kind: 'location' }>;

const dead: LinkTarget = { kind: 'dead' };

/** Classifies the destination of a Markdown link, as written. */
export function linkTarget(destination: string): LinkTarget {
  const text = destination.trim();
  if (text === '' || text.length > 2048 || hasInvisible(text)) return dead;
  if (/^https?:\/\//i.test(text)) return externalTarget(text);
  // "main.ts:12" looks like a scheme and is none: a scheme is not followed by a line number only.
  if (/^[a-z][a-z0-9+.-]*:(?!\d+($|[-:–]\d))/i.test(text)) return dead;
  return parseLocation(decode(text)) ?? dead;
}

function externalTarget(text: string): LinkTarget {
  try {
    const url = new URL(text);
    // A user name in an address only serves to make another host look like the target.
    return url.username !== '' || url.password !== '' || url.hostname === '' ? dead : { kind: 'external', url: url.href };
  } catch {
    return dead;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `src/a.ts`, `src/a.ts:12`, `src/a.ts:12-20`, `src/a.ts:12:5`, `src/a.ts#L12`, `./src/a.ts`; absolute paths and `..` name nothing in the workspace. */
export function parseLocation(text: string): LocationTarget | undefined {
  if (hasInvisible(text)) return undefined;
  const match = /^(.+?)(?:[:#]L?(\d{1,7})(?:[-:–]L?\d{1,7})?)?$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  const path = match[1].replaceAll('\\', '/').replace(/^(\.\/)+/, '');
  if (path === '' || /[<>"|?*:#]/.test(path)) return undefined;
  if (path.split('/').some((part) => part === '..' || part === '')) return undefined;
  const line = match[2] === undefined ? 0 : Number(match[2]);
  return line >= 1 ? { kind: 'location', path, line } : { kind: 'location', path };
}

export interface TextOrLink { readonly text: string; readonly target?: LocationTarget }

// A path needs folders or a line number, and an extension; otherwise "e.g." or "Node.js" would become links.
const reference = /(?<![\w/.@:-])((?:[\w@.+-]+\/)+[\w@.+-]*\.[A-Za-z]\w{0,9}|[\w@+-][\w@.+-]*\.[A-Za-z]\w{0,9}(?=:\d|#L\d))(?:(?::|#L)\d{1,7}(?:[-–:]L?\d{1,7})?)?(?![\w/])/g;

/** Finds file references in running text. */
export function findReferences(text: string): readonly TextOrLink[] {
  const parts: TextOrLink[] = [];
  let from = 0;
  for (const match of text.matchAll(reference)) {
    const target = parseLocation(match[0]);
    if (!target) continue;
    if (match.index > from) parts.push({ text: text.slice(from, match.index) });
    parts.push({ text: match[0], target });
    from = match.index + match[0].length;
  }
  if (from < text.length || parts.length === 0) parts.push({ text: text.slice(from) });
  return parts;
}

const sourceFile = /^[\w@+-][\w@.+-]*\.(?:[cm]?[jt]sx?|py|rs|go|java|kt|c|h|cc|cpp|hpp|cs|rb|php|swift|json|ya?ml|toml|md|css|html|sh|sql)$/;

/** Inline code that is a file reference and nothing else: `src/a.ts:12`, or a bare file name such as `main.ts`. */
export function codeReference(code: string): LocationTarget | undefined {
  const parts = findReferences(code);
  if (parts.length === 1 && parts[0]?.target) return parts[0].target;
  return sourceFile.test(code) ? parseLocation(code) : undefined;
}

function hasInvisible(text: string): boolean {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text);
}
