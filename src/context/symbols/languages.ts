import { cQuery, cppQuery } from './queries/c.js';
import { csharpQuery } from './queries/csharp.js';
import { goQuery } from './queries/go.js';
import { javaQuery } from './queries/java.js';
import { javascriptQuery, tsxQuery, typescriptQuery } from './queries/javascript.js';
import { phpQuery } from './queries/php.js';
import { pythonQuery } from './queries/python.js';
import { rubyQuery } from './queries/ruby.js';
import { rustQuery } from './queries/rust.js';

/**
 * A language that is parsed. Its query captures `@name` inside `@def.<kind>` for definitions, optionally `@body` where a signature ends, and `@ref` for the
 * names that are used.
 */
export interface Language {
  readonly id: string;
  /** Languages of one family call each other by name. */
  readonly family: string;
  /** File name in the folder of grammars. */
  readonly grammar: string;
  readonly query: string;
}

const language = (id: string, query: string, family = id, grammar = id): Language => ({ id, family, grammar: `tree-sitter-${grammar}.wasm`, query });

const javascript = language('javascript', javascriptQuery);
const typescript = language('typescript', typescriptQuery, 'javascript');
const tsx = language('tsx', tsxQuery, 'javascript');
const python = language('python', pythonQuery);
const go = language('go', goQuery);
const rust = language('rust', rustQuery);
const java = language('java', javaQuery);
const c = language('c', cQuery);
const cpp = language('cpp', cppQuery, 'c');
const csharp = language('csharp', csharpQuery, 'csharp', 'c-sharp');
const ruby = language('ruby', rubyQuery);
const php = language('php', phpQuery);

export const languages: readonly Language[] = [javascript, typescript, tsx, python, go, rust, java, c, cpp, csharp, ruby, php];

const byEnding: Readonly<Record<string, Language>> = {
  js: javascript, mjs: javascript, cjs: javascript, jsx: javascript, ts: typescript, mts: typescript, cts: typescript, tsx,
  py: python, pyi: python, go, rs: rust, java, c,
  // A header may be either: the C++ grammar reads C declarations, the C grammar no classes.
  h: cpp, cc: cpp, cpp, cxx: cpp, hh: cpp, hpp: cpp, hxx: cpp, ipp: cpp, inl: cpp, cu: cpp, cuh: cpp,
  cs: csharp, rb: ruby, rake: ruby, gemspec: ruby, php, phtml: php,
};

/** The language of a file by its name; undefined where it is not parsed. */
export function languageOf(path: string): Language | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name === 'Rakefile' || name === 'Gemfile') return ruby;
  const dot = name.lastIndexOf('.');
  const ending = name.slice(dot + 1).toLowerCase();
  return dot <= 0 || !Object.hasOwn(byEnding, ending) ? undefined : byEnding[ending];
}
