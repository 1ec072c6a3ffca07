/**
 * Text between fences, as in Markdown. The fence is longer than any run of backticks inside, so that the text cannot close it. `language` stands
 * behind the opening fence.
 */
export function fenced(text: string, language = ''): string {
  let longest = 2;
  for (const [run] of text.matchAll(/`+/g)) longest = Math.max(longest, run.length);
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}${text.endsWith('\n') || text === '' ? '' : '\n'}${fence}`;
}
