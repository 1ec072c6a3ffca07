import { LoupeFailure } from '../base/errors.js';
import type { WorkspacePort } from './ports.js';

/** What a question asks for: something in the text of the files, or something of the repository that may stand in no file. */
export type About = 'code' | 'repository';

/** Names that only code has: in backticks, joined_by_underscores, camelCase, PascalCase of two words, and calls. */
const codeNames = [
  /`([^`\s]{2,80})`/g,
  /\b([A-Za-z][A-Za-z0-9]*_[A-Za-z0-9_]+)\b/g,
  /\b([a-z]+[A-Z][A-Za-z0-9]*)\b/g,
  /\b([A-Z][a-z0-9]+[A-Z][A-Za-z0-9]*)\b/g,
  /\b([A-Za-z_][A-Za-z0-9_]*)\(\)/g,
  /\b([A-Z][A-Za-z0-9]*)\.[a-z][A-Za-z0-9]*\b/g,
];
const fileNames = /(?<![\w/])((?:[\w.-]+\/)*[\w-]+\.[a-z][a-z0-9]{0,4})\b/g;
const mostNames = 6;
const patienceMs = 700;

/** What people say when they mean the code in front of them. */
const meansThis = new RegExp([
  String.raw`\b(?:this|the|our|my)\s+(?:repo(?:sitory)?|project|code(?:\s?base)?|app|package|workspace|readme|changelog)\b`,
  String.raw`\b(?:which|what|the|that|this)\s+(?:\w+\s+)?(?:files?|folders?|director(?:y|ies))\b`,
  String.raw`\b(?:files?|tests?)\s+(?:are|is)\s+(?:in|under|there)\b`,
].join('|'), 'i');

/**
 * Whether a question is about the repository, so that a model which would rather answer from memory had better look first: it says
 * so, or names something that stands in the files. `code`: the names of files cannot answer it. By rules, since small models cannot
 * tell; undefined, no rule matches, is no statement.
 */
export async function aboutWorkspace(question: string, workspace: WorkspacePort, signal: AbortSignal): Promise<About | undefined> {
  const otherwise = meansThis.test(question) ? 'repository' : undefined;
  const inQuestion = (patterns: readonly RegExp[]): string[] => patterns.flatMap((pattern) => [...question.matchAll(pattern)].map(([, name = '']) => name.split('/').at(-1) ?? name));
  const files = inQuestion([fileNames]);
  const names = [...new Set(inQuestion(codeNames))].filter((name) => !files.includes(name));
  const late = AbortSignal.timeout(patienceMs);
  const either = AbortSignal.any([signal, late]);
  try {
    const found = await Promise.all([...names, ...new Set(files)].slice(0, mostNames).map(async (name) => ({ name, stands: await stands(name, workspace, either) })));
    const standing = found.filter(({ stands }) => stands);
    return standing.some(({ name }) => names.includes(name)) ? 'code' : standing.length > 0 ? 'repository' : otherwise;
  } catch (thrown) {
    // A very large repository, or a search that cannot be made: nothing is known, and the tools will say what is wrong when they are used.
    if (!signal.aborted && (late.aborted || thrown instanceof LoupeFailure)) return otherwise;
    throw thrown;
  }
}

async function stands(name: string, workspace: WorkspacePort, signal: AbortSignal): Promise<boolean> {
  const { matches } = await workspace.searchText({ pattern: name, regex: false, caseSensitive: true, limit: 1 }, signal);
  return matches.length > 0 || (name.includes('.') && (await workspace.listFiles({ glob: name, limit: 1 }, signal)).paths.length > 0);
}
