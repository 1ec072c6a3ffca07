import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path of a `file:` URI; undefined for any other. */
export function pathOf(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined;
  }
}

/** Paths of `uris` below `root`, relative to it with forward slashes. */
export function below(root: string, uris: readonly string[]): readonly string[] {
  return uris.flatMap((uri) => {
    const path = pathOf(uri);
    if (path === undefined) return [];
    const way = relative(root, path).split(sep).join('/');
    return way === '' || way === '..' || way.startsWith('../') || /^[a-z]:/i.test(way) ? [] : [way];
  });
}
