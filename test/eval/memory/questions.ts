import { createHash } from 'node:crypto';
import type { Facts } from './symbols.js';

export type QuestionKind = 'definition' | 'caller' | 'importer' | 'value';

/** A question with one right answer. */
export interface Question {
  readonly kind: QuestionKind;
  readonly text: string;
  /** A path, a name, or a value as it stands in the source; any of them is right. */
  readonly answers: readonly string[];
}

/** Shorter names are words that stand in any answer. */
const shortestName = 4;
/** Questions of one kind and repository with the same answer. */
const mostWithOneAnswer = 2;

/**
 * `count` questions about a repository, a quarter of each kind where there are so many; what a kind lacks the others fill up. Which ones is decided by the
 * hash of their text: not by us, and the same at every run.
 */
export function questionsOf(facts: Facts, count: number): readonly Question[] {
  const kinds = [definitions(facts), callers(facts), importers(facts), values(facts)].map(shuffled);
  const chosen: Question[] = [];
  for (let turn = 0; chosen.length < count && kinds.some((kind) => kind.length > turn); turn++) {
    for (const kind of kinds) {
      const next = kind[turn];
      if (next !== undefined && chosen.length < count) chosen.push(next);
    }
  }
  return chosen;
}

function shuffled(all: readonly Question[]): readonly Question[] {
  const answered = new Map<string, number>();
  return all.toSorted((a, b) => (hash(a.text) < hash(b.text) ? -1 : 1)).filter(({ answers: [answer = ''] }) => {
    const times = (answered.get(answer) ?? 0) + 1;
    answered.set(answer, times);
    return times <= mostWithOneAnswer;
  });
}

const definitions = ({ definitions: all }: Facts): Question[] =>
  [...all].flatMap(([name, file]) => (name.length < shortestName ? [] : [{ kind: 'definition', text: `Which file defines \`${name}\`?`, answers: [file] }]));

/** Only where all calls are in one function that has a name. */
const callers = ({ callers: all, definitions: defined }: Facts): Question[] =>
  [...all].flatMap(([name, calls]) => {
    const outermost = new Set(calls.map((around) => around.at(-1) ?? ''));
    const answers = (calls[0] ?? []).filter((one) => one.length >= shortestName && calls.every((around) => around.includes(one)));
    return outermost.size === 1 && answers.length > 0 && name.length >= shortestName && defined.has(name) ? [{ kind: 'caller' as const, text: `Which function calls \`${name}\`?`, answers }] : [];
  });

const importers = ({ importers: all }: Facts): Question[] =>
  [...all].flatMap(([name, by]) => (by.size === 1 && name.length >= shortestName ? [{ kind: 'importer' as const, text: `Which file imports \`${name}\`?`, answers: [...by] }] : []));

const values = ({ values: all }: Facts): Question[] => [...all].map(([what, value]) => ({ kind: 'value', text: `What is the value of ${what}?`, answers: [value] }));

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Whether an answer is right. Of files the first that it names must be the one; a caller must be named as a word, among at most three functions of the
 * repository; a value must stand alone. So a list of everything is no answer.
 */
export function isRight({ kind, answers, text }: Question, said: string, facts: Facts): boolean {
  if (kind === 'value') return answers.some((answer) => standsIn(said.replaceAll(text, ''), answer));
  if (kind === 'caller') {
    const asked = /`(.*)`/.exec(text)?.[1];
    const named = [...new Set([...facts.definitions.keys(), ...answers])].filter((name) => name !== asked && name.length >= shortestName && standsIn(said, name));
    return answers.some((answer) => named.includes(answer)) && named.length <= 3;
  }
  const first = facts.files.map((file) => ({ file, at: placeOf(file, said, facts) })).filter(({ at }) => at !== -1).sort((a, b) => a.at - b.at || b.file.length - a.file.length)[0];
  return first !== undefined && answers.includes(first.file);
}

/** Where a file is named: by its path, or by as much of its end as no other file has. */
function placeOf(file: string, said: string, { files }: Facts): number {
  const parts = file.split('/');
  const places = parts.map((_, from) => parts.slice(from).join('/'))
    .filter((end) => end === file || files.filter((other) => other === end || other.endsWith(`/${end}`)).length === 1)
    .flatMap((end) => [...said.matchAll(new RegExp(`(?<![\\w-])${escaped(end)}(?![\\w-])`, 'g'))].map(({ index }) => index + end.length));
  return places.length === 0 ? -1 : Math.min(...places);
}

/** A value as a word or a number of its own; a name also behind the name of its class. */
const standsIn = (said: string, what: string): boolean => new RegExp(`(?<![\\w$]|\\d\\.)${escaped(what)}(?![\\w$]|\\.\\d)`).test(said);
const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
