import { isAbsolute, relative } from 'node:path';

/** The repository inside a folder that is none itself: the outermost, of several the first. Never one of another folder. */
export function chooseRepository<R extends { readonly rootUri: { readonly fsPath: string } }>(folder: string, repositories: readonly R[]): R | undefined {
  const inside = repositories.filter(({ rootUri }) => {
    const way = relative(folder, rootUri.fsPath);
    return !isAbsolute(way) && !/^\.\.(?:[/\\]|$)/.test(way);
  });
  return inside.sort((a, b) => a.rootUri.fsPath.length - b.rootUri.fsPath.length)[0];
}
