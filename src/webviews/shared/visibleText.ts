/**
 * What a person is asked to approve must look like what it is. Characters that show nothing, or that reorder what is
 * shown (Unicode "Trojan Source", CVE-2021-42574; tag characters; zero width; control codes), become visible escapes.
 */
export interface TextPart {
  readonly text: string;
  /** Set where `text` stands for something that would not be seen. */
  readonly hidden?: string;
}

const names = new Map<number, string>([
  [0x00a0, 'no-break space'], [0x00ad, 'soft hyphen'], [0x034f, 'combining grapheme joiner'], [0x061c, 'Arabic letter mark'],
  [0x115f, 'Hangul filler'], [0x1160, 'Hangul filler'], [0x180e, 'Mongolian vowel separator'],
  [0x200b, 'zero width space'], [0x200c, 'zero width non-joiner'], [0x200d, 'zero width joiner'],
  [0x200e, 'left-to-right mark'], [0x200f, 'right-to-left mark'], [0x2028, 'line separator'], [0x2029, 'paragraph separator'],
  [0x202a, 'left-to-right embedding'], [0x202b, 'right-to-left embedding'], [0x202c, 'pop directional formatting'],
  [0x202d, 'left-to-right override'], [0x202e, 'right-to-left override'], [0x2060, 'word joiner'],
  [0x2066, 'left-to-right isolate'], [0x2067, 'right-to-left isolate'], [0x2068, 'first strong isolate'], [0x2069, 'pop directional isolate'],
  [0x3164, 'Hangul filler'], [0xfeff, 'byte order mark'], [0xffa0, 'Hangul filler'],
]);

/** The name of an invisible or reordering character, undefined for one that can be seen. Tab, line feed and space are left to layout. */
export function hiddenName(codePoint: number): string | undefined {
  if (codePoint === 0x09 || codePoint === 0x0a || codePoint === 0x20) return undefined;
  const named = names.get(codePoint);
  if (named) return named;
  if (codePoint < 0x20 || (codePoint >= 0x7f && codePoint < 0xa0)) return 'control character';
  if (codePoint >= 0xe0000 && codePoint <= 0xe007f) return 'tag character';
  if ((codePoint >= 0xfe00 && codePoint <= 0xfe0f) || (codePoint >= 0xe0100 && codePoint <= 0xe01ef)) return 'variation selector';
  if (codePoint >= 0x2000 && codePoint <= 0x200a) return 'unusual space';
  if (codePoint === 0x202f || codePoint === 0x205f || codePoint === 0x3000 || codePoint === 0x1680) return 'unusual space';
  if (codePoint >= 0x2061 && codePoint <= 0x206f) return 'invisible operator';
  if (codePoint >= 0xd800 && codePoint <= 0xdfff) return 'lone surrogate';
  if (/\p{Cf}/u.test(String.fromCodePoint(codePoint))) return 'format character';
  return undefined;
}

/** Splits text into parts that are shown as they are and escapes such as `U+202E`. Joined `text` of visible parts is the input without the hidden ones. */
export function visibleParts(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let plain = '';
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    const name = hiddenName(codePoint);
    if (name === undefined) {
      plain += character;
      continue;
    }
    if (plain) parts.push({ text: plain });
    plain = '';
    parts.push({ text: escapeOf(codePoint), hidden: name });
  }
  if (plain) parts.push({ text: plain });
  return parts;
}

/**
 * As {@link visibleParts}, for a command line: white space is part of what is approved. Runs of three or more spaces (which
 * push the rest out of sight), tabs and line ends become marks, long runs with their length.
 */
export function visibleCommand(command: string): TextPart[] {
  return visibleParts(command).flatMap((part) => (part.hidden === undefined ? markWhiteSpace(part.text) : [part]));
}

export function hasHidden(text: string): boolean {
  for (const character of text) if (hiddenName(character.codePointAt(0) ?? 0) !== undefined) return true;
  return false;
}

function markWhiteSpace(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let from = 0;
  for (const match of text.matchAll(/ {3,}|\t+|\r?\n|^ +| +$/g)) {
    if (match.index > from) parts.push({ text: text.slice(from, match.index) });
    const run = match[0];
    if (run.includes('\n')) parts.push({ text: '↵\n', hidden: 'new line: a further command' });
    else if (run.startsWith('\t')) parts.push({ text: '⇥'.repeat(run.length), hidden: run.length === 1 ? 'tab' : `${run.length} tabs` });
    else if (run.length > 8) parts.push({ text: `·· ${run.length} spaces ··`, hidden: `${run.length} spaces` });
    else parts.push({ text: '·'.repeat(run.length), hidden: run.length === 1 ? 'space' : `${run.length} spaces` });
    from = match.index + run.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

function escapeOf(codePoint: number): string {
  return `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
}
