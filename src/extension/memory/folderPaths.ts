import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whether a URI is that of a file below the folder which the index could take up; the insides of git change all the time. */
export function isBelow(folder: string, uris: readonly string[]): boolean {
  return uris.some((uri) => {
    if (!uri.startsWith('file:')) return false;
    const way = relative(folder, fileURLToPath(uri)).split(sep);
    return way[0] !== '' && way[0] !== '..' && !/^[a-z]:$/i.test(way[0] ?? '') && !way.includes('.git');
  });
}
