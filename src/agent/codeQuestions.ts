import type { CommandId } from '../protocol/commands.js';

export type CodeCommand = Extract<CommandId, 'loupe.explain' | 'loupe.fix' | 'loupe.writeTests' | 'loupe.document'>;

/** Where the code of a question is, as the user would say it. */
export interface CodePlace { readonly path: string; readonly startLine: number; readonly endLine: number; readonly name?: string }

/** What each editor command asks the agent. Byte-stable, so that the same command on the same code is the same prompt. */
export function codeQuestion(command: CodeCommand, place: CodePlace): string {
  const what = place.name === undefined ? `lines ${place.startLine}-${place.endLine} of ${place.path}` : `\`${place.name}\` in ${place.path} (lines ${place.startLine}-${place.endLine})`;
  switch (command) {
    case 'loupe.explain':
      return place.name === undefined
        ? `Explain what ${what} do, how they work and what they depend on.`
        : `Explain what ${what} does, how it works and what it depends on.`;
    case 'loupe.fix':
      return `Find and fix what is wrong in ${what}. Look at the reported problems first, then propose an edit.`;
    case 'loupe.writeTests':
      return `Write tests for ${what}. Find out which test framework and which style this repository uses, then propose the test file as an edit.`;
    case 'loupe.document':
      return `Write the documentation comment for ${what}, in the style this repository uses, and propose it as an edit.`;
  }
}

export const reviewQuestion =
  'Review the attached uncommitted changes. Name real defects first: bugs, missed cases, security problems. Give file and line for each. '
  + 'Read the surrounding code where the diff alone does not tell. Say so when you find none.';
