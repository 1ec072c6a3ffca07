import { codeQuestion, type CodeCommand, reviewQuestion } from '../agent/codeQuestions.js';
import { commitMessages } from '../agent/commitPrompt.js';
import { escapeName, splitLines } from '../agent/tools/rows.js';
import { fenced } from '../base/fence.js';
import { failure } from '../base/errors.js';
import { normalisePath } from '../context/files/paths.js';
import { commands } from '../protocol/commands.js';
import type { CallContext } from './tools/tool.js';

/** Characters of code or of a diff in a prompt. */
const mostCode = 40_000;

interface Argument { readonly name: string; readonly description: string; readonly required: boolean }

export interface McpPrompt {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: readonly Argument[];
  /** The question, ready to be sent. */
  render(args: Readonly<Record<string, string>>, context: CallContext): Promise<string>;
}

/** The palette's actions, asked in the same words. In a window the place may be left out: then it is what the user has selected. */
export function promptsFor(window: boolean): readonly McpPrompt[] {
  const place: readonly Argument[] = [
    { name: 'path', description: window ? 'file; left out: the selection in the active editor' : 'file', required: !window },
    { name: 'startLine', description: 'first line of the code', required: false },
    { name: 'endLine', description: 'last line, included', required: false },
  ];
  const about = (name: string, command: CodeCommand, description: string): McpPrompt => ({
    name, title: commands[command].title, description, arguments: place,
    render: (args, context) => aboutCode(command, args, context),
  });
  return [
    about('explain', 'loupe.explain', 'Explains code of the workspace.'),
    about('fix', 'loupe.fix', 'Finds and fixes what is wrong in code of the workspace.'),
    about('write_tests', 'loupe.writeTests', 'Writes tests for code of the workspace.'),
    about('document', 'loupe.document', 'Writes the documentation comment for code of the workspace.'),
    {
      name: 'review_changes', title: commands['loupe.reviewChanges'].title, description: 'Reviews the changes that are not committed.', arguments: [],
      render: async (_, context) => `${reviewQuestion}\n\n${fenced(await changes(context, ['staged', 'unstaged']), 'diff')}`,
    },
    {
      name: 'commit_message', title: commands['loupe.commitMessage'].title, description: 'Writes a commit message for what is staged, else for what has changed.', arguments: [],
      render: async (_, context) => {
        const staged = (await context.git.diff({ staged: true }, context.signal)).diff;
        return commitMessages(staged === '' ? await changes(context, ['unstaged']) : staged, mostCode).map(({ content }) => content).join('\n\n');
      },
    },
  ];
}

async function changes({ git, signal }: CallContext, sides: readonly ('staged' | 'unstaged')[]): Promise<string> {
  const parts = await Promise.all(sides.map(async (side) => (await git.diff({ staged: side === 'staged' }, signal)).diff));
  const diff = parts.filter((part) => part !== '').join('\n');
  if (diff === '') throw failure('tool.failed', 'There are no uncommitted changes of tracked files.', 'Change something first.');
  return diff;
}

async function aboutCode(command: CodeCommand, args: Readonly<Record<string, string>>, context: CallContext): Promise<string> {
  const { path, from, to } = await placeOf(args, context);
  const { text } = await context.workspace.read(path, context.signal);
  const lines = splitLines(text);
  if (from > lines.length) throw failure('tool.badArguments', `${path} has ${lines.length} lines.`, 'Give lines that it has.');
  const last = Math.min(to ?? lines.length, lines.length);
  const question = codeQuestion(command, { path, startLine: from, endLine: last });
  const code = lines.slice(from - 1, last).join('\n');
  const shown = code.length <= mostCode ? code : `${code.slice(0, code.lastIndexOf('\n', mostCode))}\n[cut]`;
  return `${question}\n\n${escapeName(path)}, lines ${from}-${last}:\n${fenced(shown)}`;
}

async function placeOf(args: Readonly<Record<string, string>>, { workspace, signal }: CallContext): Promise<{ readonly path: string; readonly from: number; readonly to: number | undefined }> {
  if (args['path'] !== undefined && args['path'] !== '') {
    const path = normalisePath(args['path'], workspace.root);
    return { path, from: lineOf(args['startLine']) ?? 1, to: lineOf(args['endLine']) };
  }
  const active = (await workspace.window?.openEditors(signal))?.find((editor) => editor.active);
  if (!active) throw failure('tool.badArguments', 'The path is missing.', workspace.window ? 'Give one, or open the file in the editor.' : 'Give the path of a file.');
  const { selection } = active;
  if (selection === undefined || selection.text === '') return { path: active.path, from: 1, to: undefined };
  // A selection that ends at the start of a line does not take that line.
  const to = selection.end.column === 1 && selection.end.line > selection.start.line ? selection.end.line - 1 : selection.end.line;
  return { path: active.path, from: selection.start.line, to };
}

/** Arguments of prompts are always text. */
function lineOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const line = Number(text);
  if (!Number.isInteger(line) || line < 1) throw failure('tool.badArguments', `${JSON.stringify(text.slice(0, 40))} is not a line number.`, 'Give a whole number from 1.');
  return line;
}
