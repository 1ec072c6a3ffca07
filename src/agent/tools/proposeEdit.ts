import * as z from 'zod';
import { failure, LoupeFailure } from '../../base/errors.js';
import type { FileEdit } from '../../protocol/agentEvents.js';
import type { ApprovalPort, EditPort, WorkspacePort } from '../ports.js';
import { revealHidden } from '../../base/hiddenText.js';
import { hashText } from '../workspace/nodeEdits.js';
import { normalisePath } from '../../context/files/paths.js';
import { pathReach } from '../reach.js';
import { replaceOnce } from './replaceText.js';
import { applyOnce, type Ledger } from './ledger.js';
import { defineTool, type Tool, type ToolContext, type ToolResult } from './tool.js';

const schema = z.object({
  path: z.string(),
  old: z.string().optional().describe('exact text to replace, once in the file; leave out to create a file'),
  new: z.string().describe('text to put in its place'),
});
type Arguments = z.infer<typeof schema>;

/** Previews of one call, when the file keeps changing under the user's eyes. */
const mostPreviews = 3;

export interface EditPorts { readonly workspace: WorkspacePort; readonly approvals: ApprovalPort; readonly edits: EditPort }

export function proposeEdit(ports: EditPorts, ledger: Ledger): Tool {
  return defineTool({
    name: 'propose_edit', class: 'write',
    description: 'Changes or creates a file. Only when the user asks for a change.',
    schema,
    reach: ({ path }) => pathReach(ports.workspace.root, path),
    run: (args, context) => applyOnce(ledger, context, () => preview(ports, args, context)),
  });
}

async function preview(ports: EditPorts, args: Arguments, context: ToolContext): Promise<ToolResult> {
  for (let previews = 1; ; previews++) {
    const edit = await editFor(ports.workspace, args, context.signal);
    const warning = warningFor(edit);
    const approval = { id: context.newId(), kind: 'edit', edit, ...(warning ? { warning } : {}) } as const;
    const decision = await context.approval(approval, (asked, signal) => ports.approvals.request(asked, signal));
    const done = edit.kind === 'create' ? 'created' : 'changed';
    if (decision === 'rejected') {
      return { outcome: 'refused', content: `The user rejected this edit; ${edit.path} was not ${done}. Ask what they want instead of proposing it again.`, summary: `${edit.path}: rejected by the user`, truncated: false };
    }
    try {
      await ports.edits.apply(edit, context.signal);
      return { outcome: 'ok', content: `The user accepted: ${edit.path} was ${done}.`, summary: `${edit.path} ${done}`, truncated: false };
    } catch (thrown) {
      // Someone changed the file between preview and decision: the decision was about another text, so it is asked again.
      const changed = thrown instanceof LoupeFailure && thrown.error.code === 'edit.changedOnDisk';
      if (!changed || previews === mostPreviews) throw thrown;
    }
  }
}

/** The edit against the file as it is now. Throws what the model can correct. */
async function editFor(workspace: WorkspacePort, args: Arguments, signal: AbortSignal): Promise<FileEdit> {
  const path = normalisePath(args.path, workspace.root);
  if (path === '') throw failure('tool.badArguments', 'The path is missing.', 'Give the path of a file.');
  const before = await currentText(workspace, path, signal);
  if (args.old === undefined || args.old === '') {
    if (before !== undefined && before !== '') throw failure('edit.exists', `${path} exists.`, 'To change it, give the exact text to replace as old.');
    if (args.new === '' && before === '') throw failure('tool.badArguments', 'The edit changes nothing.', 'Give the text of the file as new.');
    return { path, kind: before === undefined ? 'create' : 'replace', before: '', after: args.new, beforeHash: hashText('') };
  }
  if (before === undefined) throw failure('path.notFound', `There is no file ${path}.`, 'Leave out old to create it, or find the right path with list_files.');
  const result = replaceOnce(before, args.old, args.new);
  if (result.kind === 'noMatch') throw failure('edit.noMatch', `The text in old is not in ${path}.`, `${result.hint}\nCopy it exactly, without line numbers.`);
  if (result.kind === 'ambiguous') {
    throw failure('edit.ambiguous', `The text in old is ${result.lines.length} times in ${path}, at lines ${result.lines.slice(0, 10).join(', ')}.`, 'Add lines around it until it is there once.');
  }
  if (result.text === before) throw failure('tool.badArguments', 'The edit changes nothing: old and new are the same.', 'Give the changed text as new.');
  return { path, kind: 'replace', before, after: result.text, beforeHash: hashText(before) };
}

async function currentText(workspace: WorkspacePort, path: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await workspace.readFile(path, signal);
  } catch (thrown) {
    if (thrown instanceof LoupeFailure && thrown.error.code === 'path.notFound') return undefined;
    throw thrown;
  }
}

function warningFor(edit: FileEdit): string | undefined {
  const hidden = revealHidden(edit.after).count - revealHidden(edit.before).count;
  return hidden > 0 ? `The new text holds ${hidden === 1 ? 'a character' : `${hidden} characters`} that cannot be seen.` : undefined;
}

