import ignore, { type Ignore } from 'ignore';

/** Names of the files that hold rules; the later one has the last word, so that `.loupeignore` can bring back what `.gitignore` leaves out. */
export const ruleFiles = ['.gitignore', '.loupeignore'] as const;

/**
 * What no memory of a repository needs: dependencies, caches, lock files, and what is not text or not written by people. Rules of the lowest rank:
 * a `!vendor/` in `.loupeignore` brings a folder back. Secrets are no rule but a check of their own, which nothing undoes.
 */
const builtIn = [
  'node_modules/', 'bower_components/', 'jspm_packages/', 'vendor/', 'third_party/', 'Pods/', '.yarn/', '.pnp.*', '.venv/', 'venv/', '__pycache__/',
  '.tox/', '.mypy_cache/', '.pytest_cache/', '.ruff_cache/', '.gradle/', '.idea/', '.vs/', '.next/', '.nuxt/', '.svelte-kit/', '.terraform/', '.vscode-test/',
  'package-lock.json', 'npm-shrinkwrap.json', 'yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'Cargo.lock', 'poetry.lock', 'uv.lock', 'Pipfile.lock', 'Gemfile.lock',
  'composer.lock', 'go.sum', 'packages.lock.json', 'gradle.lockfile',
  '*.min.js', '*.min.mjs', '*.min.css', '*.map', '*.snap', '*.pb.go', '*_pb2.py', '*_pb2_grpc.py', '*.pb.cc', '*.pb.h', '*.designer.cs', '*.g.cs', '*.tsbuildinfo',
  ...['png', 'jpg', 'jpeg', 'gif', 'webp', 'avif', 'bmp', 'ico', 'icns', 'svg', 'pdf', 'woff', 'woff2', 'ttf', 'otf', 'eot', 'mp3', 'mp4', 'webm', 'wav', 'ogg',
    'mov', 'zip', 'gz', 'bz2', 'xz', 'zst', '7z', 'tar', 'tgz', 'jar', 'war', 'class', 'exe', 'dll', 'so', 'dylib', 'a', 'o', 'lib', 'node', 'wasm', 'pyc', 'whl',
    'gguf', 'bin', 'safetensors', 'onnx', 'pt', 'npy', 'parquet', 'sqlite', 'db', 'csv', 'tsv', 'ipynb', 'log', 'patch', 'diff'].map((ending) => `*.${ending}`),
];

const mostLines = 5_000;

/** The rules of one folder, as text: each of `ruleFiles` that is there. */
export interface FolderRules {
  /** Relative to the root, with forward slashes; '' is the root. */
  readonly folder: string;
  readonly texts: readonly string[];
}

/**
 * Which paths the rules leave out, by the semantics of gitignore: the last rule that matches decides, and those of a deeper folder come after those of a
 * higher one. What lies in a folder that is left out is not asked for, so a rule cannot bring it back.
 */
export class IgnoreRules {
  private constructor(private readonly rules: Ignore, private readonly caseless: boolean, /** Number of lines that were added, those of higher folders included. */ readonly size: number) {}

  /** `excludes`: rules below those of any folder, as `.git/info/exclude` holds them. `caseless`: as the file system of the repository is. */
  static root(excludes: readonly string[], caseless: boolean): IgnoreRules {
    const texts = [builtIn.join('\n'), ...excludes];
    return new IgnoreRules(extended(undefined, texts, '', caseless), caseless, linesIn(texts));
  }

  /** The rules that hold below a folder which has rules of its own. */
  below({ folder, texts }: FolderRules): IgnoreRules {
    return texts.length === 0 ? this : new IgnoreRules(extended(this.rules, texts, folder, this.caseless), this.caseless, this.size + linesIn(texts));
  }

  /** Whether a file or folder, relative to the root, is left out. */
  ignores(path: string, isFolder: boolean): boolean {
    return this.rules.ignores(isFolder ? `${path}/` : path);
  }
}

const linesIn = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.split('\n', mostLines).length, 0);

function extended(higher: Ignore | undefined, texts: readonly string[], folder: string, caseless: boolean): Ignore {
  const rules = ignore({ ignorecase: caseless, allowRelativePaths: true });
  if (higher !== undefined) rules.add(higher);
  for (const text of texts) {
    const lines = text.replace(/^\ufeff/, '').split(/\r?\n/).slice(0, mostLines).filter(isBounded);
    rules.add(folder === '' ? lines : lines.flatMap((line) => fromRoot(line, folder) ?? []));
  }
  return rules;
}

/** A pattern of a folder as one of the root. With a slash that is not its last character it begins at the folder, else it holds at any depth below. */
function fromRoot(line: string, folder: string): string | undefined {
  if (line.startsWith('#') || line.trim() === '') return undefined;
  const negated = line.startsWith('!');
  const pattern = (negated ? line.slice(1) : line).replace(/^\\([!#])/, '$1');
  const anchored = pattern.replace(/\s+$/, '').slice(0, -1).includes('/');
  const literal = folder.replace(/[\\*?[\]!#\s]/g, '\\$&');
  return `${negated ? '!' : ''}/${literal}/${anchored ? pattern.replace(/^\//, '') : `**/${pattern}`}`;
}

/**
 * Patterns become regular expressions that try every way to share a name among their wildcards: with k of them in a segment of n characters up to
 * n^k/k! steps. A file in a repository is not to decide how long the index stands still, so patterns with more wildcards than people write are left out.
 */
function isBounded(pattern: string): boolean {
  if (pattern.length > 512) return false;
  const segments = pattern.split('/');
  return segments.filter((segment) => segment === '**').length <= 4 && segments.every((segment) => (segment.match(/\*+/g)?.length ?? 0) <= 3);
}
