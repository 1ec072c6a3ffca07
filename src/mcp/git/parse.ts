import type { BlamedLine, ChangeKind, Commit, GitChange, GitStatus } from './git.js';

/** What git prints, as data. Pure. */

const kinds: Readonly<Record<string, ChangeKind>> = { A: 'added', M: 'modified', D: 'deleted', R: 'renamed', C: 'copied', T: 'typeChanged', U: 'conflicted' };

/** Output of `status --porcelain=v2 --branch -z`; `inside` gives a path as the client knows it, undefined for what it may not see. */
export function parseStatus(text: string, inside: (path: string) => string | undefined): GitStatus {
  const changes: GitChange[] = [];
  const head: Record<string, string> = {};
  const fields = text.split('\0');
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? '';
    const header = /^# branch\.(\S+) (.*)$/s.exec(field);
    if (header) head[header[1] ?? ''] = header[2] ?? '';
    else if (field.startsWith('? ')) add(changes, inside(field.slice(2)), { unstaged: 'untracked' });
    else if (field.startsWith('u ')) add(changes, inside(field.split(' ').slice(10).join(' ')), { unstaged: 'conflicted' });
    else if (field.startsWith('1 ')) add(changes, inside(field.split(' ').slice(8).join(' ')), sides(field));
    else if (field.startsWith('2 ')) {
      const from = inside(fields[++i] ?? '');
      add(changes, inside(field.split(' ').slice(9).join(' ')), { ...sides(field), ...(from === undefined ? {} : { from }) });
    }
  }
  const [, ahead, behind] = /^\+(\d+) -(\d+)$/.exec(head['ab'] ?? '') ?? [];
  return {
    ...(head['head'] === undefined || head['head'] === '(detached)' ? {} : { branch: head['head'] }),
    ...(head['upstream'] === undefined ? {} : { upstream: head['upstream'] }),
    ...(ahead === undefined ? {} : { ahead: Number(ahead), behind: Number(behind) }),
    changes,
  };
}

function add(changes: GitChange[], path: string | undefined, change: Omit<GitChange, 'path'>): void {
  if (path !== undefined) changes.push({ path, ...change });
}

function sides(field: string): Pick<GitChange, 'staged' | 'unstaged'> {
  const staged = kinds[field[2] ?? ''];
  const unstaged = kinds[field[3] ?? ''];
  return { ...(staged ? { staged } : {}), ...(unstaged ? { unstaged } : {}) };
}

export const logFormat = '%H%x1f%an%x1f%aI%x1f%s';

export function parseLog(text: string): readonly Commit[] {
  return text.split('\0').map((record) => record.replace(/^\n/, '')).filter((record) => record !== '').map((record) => {
    const [hash = '', author = '', date = '', subject = ''] = record.split('\x1f');
    return { hash, author, date, subject };
  });
}

/** Output of `blame --porcelain`: what is said of a commit stands where it first occurs. */
export function parseBlame(text: string): readonly BlamedLine[] {
  const commits = new Map<string, { author: string; date: string; summary: string }>();
  const found: BlamedLine[] = [];
  let hash = '';
  let line = 0;
  for (const row of text.split('\n')) {
    const begin = /^([0-9a-f]{40,64}) \d+ (\d+)/.exec(row);
    if (row.startsWith('\t')) found.push({ line, text: row.slice(1), ...(/^0+$/.test(hash) ? {} : { hash, ...commits.get(hash) }) });
    else if (begin) {
      [hash, line] = [begin[1] ?? '', Number(begin[2])];
      if (!commits.has(hash)) commits.set(hash, { author: '', date: '', summary: '' });
    } else {
      const commit = commits.get(hash);
      const [, key, value = ''] = /^(\S+)(?: (.*))?$/.exec(row) ?? [];
      if (!commit) continue;
      if (key === 'author') commit.author = value;
      else if (key === 'summary') commit.summary = value;
      else if (key === 'author-time') commit.date = new Date(Number(value) * 1000).toISOString();
    }
  }
  return found;
}
