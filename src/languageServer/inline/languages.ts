/** The little that suggestions need to know about languages: line comments and what opens a block. */
const hash = ['#'];
const slashes = ['//', '/*', '*'];
const dashes = ['--'];

const lineComments: Readonly<Record<string, readonly string[]>> = {
  python: [...hash, '"""', "'''"], ruby: hash, shellscript: hash, yaml: hash, makefile: hash, dockerfile: hash, perl: hash, r: hash,
  elixir: hash, toml: hash, julia: hash, powershell: hash, coffeescript: hash, cmake: hash, nix: hash,
  sql: dashes, lua: dashes, haskell: dashes, ada: dashes, elm: dashes,
  clojure: [';'], lisp: [';'], scheme: [';'], ini: [';', '#'],
  latex: ['%'], tex: ['%'], erlang: ['%'], matlab: ['%'],
  html: ['<!--'], xml: ['<!--'], markdown: ['<!--'],
  php: [...slashes, ...hash],
};

/** Languages whose blocks are opened by a colon at the end of a line. */
const colonBlocks = new Set(['python', 'yaml', 'nim', 'gdscript']);
/** Languages whose blocks are opened by a word. */
const wordBlocks = new Set(['ruby', 'lua', 'shellscript', 'elixir', 'julia', 'sql', 'pascal', 'ada', 'makefile']);

export const commentMarkers = (languageId: string): readonly string[] => lineComments[languageId] ?? slashes;

/** The line is a comment from its first character that is not white space. `*p = 1;` is code: within a comment a space follows. */
export function isCommentLine(line: string, languageId: string): boolean {
  const text = line.trimStart();
  return commentMarkers(languageId).some((marker) => (marker === '*' ? /^\*+(?:[\s/]|$)/u.test(text) : text.startsWith(marker)));
}

/** Marks that begin a comment behind code as well; the others mean something else there. */
const trailingMarkers = new Set(['//', '/*', '#', '--', ';', '<!--']);

/** `text`, put behind the code of `prefix`, is a comment: the mark stands between blanks, unlike those of `https://` and `#fff`. */
export function isTrailingComment(prefix: string, text: string, languageId: string): boolean {
  const mark = /^\s*(\S+)(?:\s|$)/u.exec(text)?.[1] ?? '';
  const isApart = /\s$/u.test(prefix) || /^\s/u.test(text);
  return isApart && trailingMarkers.has(mark) && commentMarkers(languageId).includes(mark);
}

export function opensBlock(line: string, languageId: string): boolean {
  const text = line.trimEnd();
  if (/(?:[{([]|=>)$/u.test(text)) return true;
  if (colonBlocks.has(languageId) && text.endsWith(':')) return true;
  if (/\b(?:case\b.*|default)\s*:$/u.test(text)) return true;
  return wordBlocks.has(languageId) && /(?:\b(?:do|then|else|begin|function\b.*\)|def\b.*|class\b.*|module\b.*)|\|)$/u.test(text);
}

/** `*` is the default for languages that are not named. */
export function isLanguageEnabled(languageId: string, languages: Readonly<Record<string, boolean>>): boolean {
  const named = Object.hasOwn(languages, languageId) ? languages[languageId] : undefined;
  return named ?? languages['*'] ?? true;
}

const families: Readonly<Record<string, string>> = {
  javascript: 'typescript', javascriptreact: 'typescript', typescriptreact: 'typescript', vue: 'typescript', svelte: 'typescript',
  c: 'cpp', 'objective-c': 'cpp', 'objective-cpp': 'cpp', 'cuda-cpp': 'cpp', less: 'css', scss: 'css', jsonc: 'json',
};

/** Languages that call each other's code: a file of one helps to write another. */
export const languageFamily = (languageId: string): string => families[languageId] ?? languageId;
