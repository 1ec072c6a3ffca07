import * as z from 'zod';
import { clip, escapeName } from '../../agent/tools/rows.js';
import { failure } from '../../base/errors.js';
import type { EffectOutcome } from '../../protocol/window.js';
import type { WindowActions } from '../workspace/port.js';
import { type CallContext, defineTool, type Outcome, rows, set } from './tool.js';

const mostEditors = 100;
const mostSelection = 8_000;
const waitingMs = 5_000;

const position = z.object({ line: z.number().int(), column: z.number().int() });

function need({ workspace }: CallContext): WindowActions {
  if (workspace.window) return workspace.window;
  throw failure('workspace.none', 'There is no window here.', 'Attach to a window instead of a folder.');
}

export const openEditors = defineTool({
  name: 'open_editors', title: 'Open Editors', effect: 'read', needsWindow: true,
  description: 'Lists the files that are open in the editor, the one the user looks at first, with what they have selected.',
  input: z.object({}),
  output: z.object({
    editors: z.array(z.object({
      path: z.string(), active: z.boolean(), visible: z.boolean(), unsaved: z.boolean(),
      selection: z.object({ start: position, end: position, text: z.string() }).optional(),
    })),
  }),
  run: async (_, context) => {
    const open = await need(context).openEditors(context.signal);
    const editors = open.slice(0, mostEditors).map((e) => (e.selection === undefined ? e : { ...e, selection: { ...e.selection, text: clip(e.selection.text, mostSelection) } }));
    const lines = editors.map((e) => {
      const marks = [e.active ? 'active' : e.visible ? 'visible' : undefined, e.unsaved ? 'unsaved' : undefined].filter((mark) => mark !== undefined);
      const at = e.selection === undefined ? '' : `, ${e.selection.text === '' ? `cursor at line ${e.selection.start.line}` : `lines ${e.selection.start.line}-${e.selection.end.line} selected:\n${e.selection.text}`}`;
      return `${escapeName(e.path)}${marks.length > 0 ? ` (${marks.join(', ')})` : ''}${at}`;
    });
    return { text: rows(lines, undefined, 'No file of the workspace is open.'), data: { editors } };
  },
});

const effect = z.object({ outcome: z.enum(['ok', 'empty', 'error', 'refused']), message: z.string(), truncated: z.boolean() });

/** Tells a client that waits that the user has not decided yet, so that it does not give up. */
async function whileAsking(context: CallContext, work: Promise<EffectOutcome>): Promise<Outcome> {
  context.progress('Waiting for the user');
  const timer = setInterval(() => context.progress('Waiting for the user'), waitingMs);
  try {
    const { outcome, content, truncated } = await work;
    return { text: content, data: { outcome, message: content, truncated }, failed: outcome === 'error' || outcome === 'refused' };
  } finally {
    clearInterval(timer);
  }
}

export const proposeEdit = defineTool({
  name: 'propose_edit', title: 'Propose Edit', effect: 'change', needsWindow: true,
  description: 'Changes or creates a file. The user sees the change as a diff in the editor and applies or rejects it; the call waits for that.',
  input: z.object({
    path: z.string(), old: z.string().optional().describe('exact text to replace, once in the file; leave out to create a file'),
    new: z.string().describe('text to put in its place'),
  }),
  output: effect,
  run: ({ path, old, new: text }, context) => whileAsking(context, need(context).proposeEdit({ path, new: text, ...set({ old }) }, context, context.signal)),
});

export const runCommand = defineTool({
  name: 'run_command', title: 'Run Command', effect: 'run', needsWindow: true,
  description: 'Runs a shell command in the workspace folder, for example its tests. The user sees the whole command and allows it or not; the call waits for that.',
  input: z.object({ command: z.string().min(1) }),
  output: effect,
  run: ({ command }, context) => whileAsking(context, need(context).runCommand(command, context, context.signal)),
});

export const listTasks = defineTool({
  name: 'list_tasks', title: 'List Tasks', effect: 'read', needsWindow: true,
  description: 'Lists the tasks that the editor knows for this workspace: builds, tests, scripts.',
  input: z.object({}),
  output: z.object({ tasks: z.array(z.object({ name: z.string(), source: z.string(), group: z.string().optional() })) }),
  run: async (_, context) => {
    const tasks = (await need(context).tasks(context.signal)).slice(0, 300).map((task) => ({ ...task, name: clip(task.name, 300) }));
    return { text: rows(tasks.map((t) => `${t.source}: ${t.name}${t.group === undefined ? '' : ` (${t.group})`}`), undefined, 'There is no task.'), data: { tasks } };
  },
});

export const runTask = defineTool({
  name: 'run_task', title: 'Run Task', effect: 'run', needsWindow: true,
  description: 'Runs a task of list_tasks in a terminal of the editor and says how it ended. The user allows it or not; the call waits for that and for the task.',
  input: z.object({ name: z.string().min(1), source: z.string().optional().describe('of list_tasks, where several tasks have the name') }),
  output: effect,
  run: ({ name, source }, context) => whileAsking(context, need(context).runTask(name, source, context, context.signal)),
});
