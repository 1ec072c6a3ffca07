import * as z from 'zod';
import { clip, escapeName, splitLines } from '../../agent/tools/rows.js';
import { normalisePath } from '../../context/files/paths.js';
import { offsetOf, pageOf } from '../pages.js';
import { cursor, defineTool, nextCursor, rows, set } from './tool.js';

const changesPerPage = 200;
const commitsPerPage = 30;
const mostBlamed = 300;

const kind = z.enum(['added', 'modified', 'deleted', 'renamed', 'copied', 'typeChanged', 'untracked', 'conflicted']);

export const gitStatus = defineTool({
  name: 'git_status', title: 'Git Status', effect: 'read',
  description: 'Says which branch is checked out and which files of the workspace have changes that are not committed.',
  input: z.object({ cursor }),
  output: z.object({
    branch: z.string().optional(), upstream: z.string().optional(), ahead: z.number().int().optional(), behind: z.number().int().optional(),
    changes: z.array(z.object({ path: z.string(), staged: kind.optional(), unstaged: kind.optional(), from: z.string().optional() })), nextCursor,
  }),
  run: async ({ cursor: at }, { git, signal }) => {
    const question = ['git_status'];
    const offset = offsetOf(at, question);
    const { changes, ...head } = await git.status(signal);
    const { items, nextCursor: next } = pageOf(changes, offset, changesPerPage, question);
    const lines = items.map((c) => `${[c.staged && `staged: ${c.staged}`, c.unstaged].filter(Boolean).join(', ')}: ${c.from === undefined ? '' : `${escapeName(c.from)} -> `}${escapeName(c.path)}`);
    return { text: `On ${head.branch ?? 'a detached head'}.\n${rows(lines, next, 'Nothing is changed.')}`, data: { ...head, changes: items, ...set({ nextCursor: next }) } };
  },
});

const revision = z.string().optional().describe('a branch, a tag, a hash, or a range like main..HEAD');

export const gitDiff = defineTool({
  name: 'git_diff', title: 'Git Diff', effect: 'read',
  description: 'Shows changes of tracked files: what is not staged, with staged what is, with revision what differs from it. As files are on disk, without unsaved text.',
  input: z.object({ staged: z.boolean().optional(), revision, path: z.string().optional().describe('only this file or folder') }),
  output: z.object({ diff: z.string(), files: z.array(z.string()), truncated: z.boolean() }),
  run: async ({ staged = false, revision: against, path }, { git, signal }) => {
    const data = await git.diff({ staged, ...set({ revision: against, path }) }, signal);
    const text = data.diff === '' ? 'No difference.' : data.diff.trimEnd();
    return { text: data.truncated ? `${text}\n[The diff is cut. Ask for one path.]` : text, data };
  },
});

export const gitLog = defineTool({
  name: 'git_log', title: 'Git Log', effect: 'read',
  description: 'Lists commits, the newest first, of the workspace or of one path.',
  input: z.object({ path: z.string().optional(), revision, cursor }),
  output: z.object({ commits: z.array(z.object({ hash: z.string(), author: z.string(), date: z.string(), subject: z.string() })), nextCursor }),
  run: async ({ path, revision: from, cursor: at }, { git, signal }) => {
    const question = ['git_log', path, from];
    const skip = offsetOf(at, question);
    const found = await git.log({ ...set({ path, revision: from }), skip, limit: commitsPerPage + 1 }, signal);
    const commits = found.map((commit) => ({ ...commit, author: clip(commit.author, 200), subject: clip(commit.subject, 400) }));
    const { items, nextCursor: next } = pageOf([...Array<undefined>(skip), ...commits], skip, commitsPerPage, question);
    const page = items.filter((commit) => commit !== undefined);
    return { text: rows(page.map((c) => `${c.hash.slice(0, 10)} ${c.date.slice(0, 10)} ${c.author}: ${c.subject}`), next, 'No commit.'), data: { commits: page, ...set({ nextCursor: next }) } };
  },
});

export const gitBlame = defineTool({
  name: 'git_blame', title: 'Git Blame', effect: 'read',
  description: `Says which commit last changed each line of a file, unsaved text included. At most ${mostBlamed} lines in one call.`,
  input: z.object({ path: z.string(), startLine: z.number().int().min(1).optional(), endLine: z.number().int().min(1).optional() }),
  output: z.object({
    path: z.string(), truncated: z.boolean(),
    lines: z.array(z.object({ line: z.number().int(), hash: z.string().optional(), author: z.string().optional(), date: z.string().optional(), summary: z.string().optional(), text: z.string() })),
  }),
  run: async ({ path, startLine = 1, endLine }, { workspace, git, signal }) => {
    const { text } = await workspace.read(path, signal);
    const count = splitLines(text).length;
    const wanted = Math.min(count, endLine ?? count);
    const last = Math.min(wanted, startLine + mostBlamed - 1);
    const name = normalisePath(path, workspace.root);
    if (last < startLine) return { text: `${escapeName(name)} has ${count} lines.`, data: { path: name, lines: [], truncated: false } };
    const blamed = await git.blame({ path, text, startLine, endLine: last }, signal);
    const lines = blamed.map((line) => ({ ...line, text: clip(line.text, 200), ...(line.summary === undefined ? {} : { summary: clip(line.summary, 200) }) }));
    const shown = lines.map((l) => `${l.line}|${l.hash?.slice(0, 10) ?? 'not committed'} ${l.date?.slice(0, 10) ?? ''} ${l.author ?? ''}|${l.text}`);
    return { text: [...shown, ...(last < wanted ? [`[Only the first ${mostBlamed} lines. Go on with startLine ${last + 1}.]`] : [])].join('\n'), data: { path: name, lines, truncated: last < wanted } };
  },
});
