import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonSchema, ToolDefinition } from '../../src/protocol/chat.js';
import type { NamedCall } from '../../src/model/toolCalls/callSyntax.js';

/** Berkeley Function Calling Leaderboard v4, out of the Python package that carries its questions (Apache-2.0). */
const packageVersion = '2026.3.23';

export type Category = 'simple_python' | 'multiple' | 'irrelevance';

export interface Question {
  readonly id: string;
  readonly text: string;
  readonly tools: readonly ToolDefinition[];
  /** Undefined where no tool fits. */
  readonly expected?: { readonly name: string; readonly arguments: Readonly<Record<string, readonly unknown[]>> };
}

interface RawQuestion {
  readonly id: string;
  readonly question: readonly (readonly { readonly content: string }[])[];
  readonly function: readonly { readonly name: string; readonly description: string; readonly parameters: unknown }[];
}

/** The folder of the questions, downloaded with pip on first use. */
export function bfclData(cache: string): string {
  const folder = join(cache, 'eval', `bfcl-${packageVersion}`);
  if (!existsSync(folder)) {
    const staging = `${folder}.part`;
    rmSync(staging, { recursive: true, force: true });
    mkdirSync(staging, { recursive: true });
    execFileSync('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', staging, `bfcl-eval==${packageVersion}`], { stdio: 'inherit' });
    const wheel = readdirSync(staging).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip left no wheel of bfcl-eval');
    execFileSync('python3', ['-m', 'zipfile', '-e', join(staging, wheel), staging]);
    renameSync(staging, folder);
  }
  return join(folder, 'bfcl_eval', 'data');
}

/** Every `step`-th question from `offset` on, at most `count`. */
export function questions(data: string, category: Category, step: number, offset: number, count: number): Question[] {
  const raw = lines<RawQuestion>(join(data, `BFCL_v4_${category}.json`)).filter((_, index) => index % step === offset).slice(0, count);
  const answers = category === 'irrelevance' ? [] : lines<{ id: string; ground_truth: Record<string, Record<string, unknown[]>>[] }>(join(data, 'possible_answer', `BFCL_v4_${category}.json`));
  return raw.map(({ id, question, function: functions }) => {
    const [name, args] = Object.entries(answers.find((answer) => answer.id === id)?.ground_truth[0] ?? {})[0] ?? [];
    return {
      id,
      text: (question[0] ?? []).map(({ content }) => content).join('\n'),
      tools: functions.map((tool) => ({ name: tool.name, description: tool.description, parameters: jsonSchema(tool.parameters) as JsonSchema })),
      ...(name === undefined || args === undefined ? {} : { expected: { name, arguments: args } }),
    };
  });
}

const lines = <T>(path: string): T[] => readFileSync(path, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as T);

const pythonTypes: Readonly<Record<string, string>> = { dict: 'object', float: 'number', tuple: 'array', any: 'string' };

/** The questions name types as Python does. */
function jsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(jsonSchema);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, key === 'type' && typeof field === 'string' ? (pythonTypes[field] ?? field) : jsonSchema(field)]));
}

/**
 * The benchmark's own rule: the named function, every argument one of the listed values, '' among them meaning that it may be left
 * out, and no other arguments. Strings are compared without case, spaces and punctuation.
 */
export function isRight(call: NamedCall, { name, arguments: allowed }: NonNullable<Question['expected']>): boolean {
  if (call.name !== name) return false;
  return Object.keys(call.arguments).every((key) => key in allowed)
    && Object.entries(allowed).every(([key, values]) => (key in call.arguments ? values.some((value) => same(call.arguments[key], value)) : values.includes('')));
}

function same(given: unknown, allowed: unknown): boolean {
  if (typeof given === 'string' && typeof allowed === 'string') return plain(given) === plain(allowed);
  if (Array.isArray(given) && Array.isArray(allowed)) return given.length === allowed.length && given.every((item, index) => same(item, allowed[index]));
  if (isRecord(given) && isRecord(allowed)) {
    const fits = (key: string): boolean => {
      const values = allowed[key];
      return Array.isArray(values) ? values.some((value) => same(given[key], value)) : same(given[key], values);
    };
    const optional = (key: string): boolean => Array.isArray(allowed[key]) && allowed[key].includes('');
    return Object.keys(given).every((key) => key in allowed) && Object.keys(allowed).every((key) => (key in given ? fits(key) : optional(key)));
  }
  return given === allowed;
}

const plain = (text: string): string => text.toLowerCase().replace(/[ ,./\-_*^'"]/g, '');

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value);
