import type { ChatMessage } from '../protocol/chat.js';

const system = 'You write Git commit messages. Answer with the message only: one imperative summary line of at most 72 characters, '
  + 'then, only if the reason is not obvious, a blank line and one short paragraph that says why. No quotes, no Markdown.';

/** Asks for a commit message for a diff of at most `limit` characters; a longer one is cut at a line, and says so. */
export function commitMessages(diff: string, limit: number): readonly ChatMessage[] {
  const end = diff.length <= limit ? diff.length : Math.max(0, diff.lastIndexOf('\n', limit));
  const shown = end === diff.length ? diff : `${diff.slice(0, end)}\n[truncated: ${diff.length - end} of ${diff.length} characters left out]`;
  return [{ role: 'system', content: system }, { role: 'user', content: `${shown}\n\nWrite the commit message for these changes.` }];
}

/** The message without the fences and quotes that small models like to put around it. */
export function cleanCommitMessage(answer: string): string {
  const inFence = /^```[^\n]*\n([\s\S]*?)\n?```/.exec(answer.trim());
  const text = (inFence?.[1] ?? answer).trim();
  return /^(["'`])[^\n]*\1$/.test(text) ? text.slice(1, -1).trim() : text;
}
