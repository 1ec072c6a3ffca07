/**
 * Hidden Unicode in text that did not come from the user: tag characters, bidirectional controls, zero-width characters and
 * control characters can say something to the model that the user cannot see. They are written as visible escapes
 * (`\u{202e}`) and counted. Joiners inside emoji and inside scripts that need them stay.
 */
const hidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;
const joiner = /[\u200c\u200d]/u;
const joinable = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]|(?!\p{Script=Latin})[\p{L}\p{M}]/u;

export interface Revealed { readonly text: string; readonly count: number }

export function revealHidden(text: string): Revealed {
  let count = 0;
  const shown = text.replace(hidden, (character: string, offset: number) => {
    if (offset === 0 && character === '\ufeff') return ''; // a byte order mark is no message
    if (joiner.test(character) && joinable.test(before(text, offset)) && joinable.test(after(text, offset + 1))) return character;
    count++;
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
  return { text: shown, count };
}

const before = (text: string, offset: number): string => Array.from(text.slice(Math.max(0, offset - 2), offset)).at(-1) ?? '';
const after = (text: string, offset: number): string => Array.from(text.slice(offset, offset + 2))[0] ?? '';

/** What to tell the model and the user about hidden characters, or undefined when there are none. */
export function hiddenNote(count: number): string | undefined {
  if (count === 0) return undefined;
  return count === 1 ? 'one hidden character is shown as an escape' : `${count} hidden characters are shown as escapes`;
}
