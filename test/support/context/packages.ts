import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../workbench/paths.js';

const { ensurePackage } = await import(pathToFileURL(path.join(root, 'scripts', 'lib', 'packages.mjs')).href) as { ensurePackage(name: string, version: string): Promise<string> };

/** A repository as its package holds it. Pinned by version, so that figures of another day can be compared. */
export interface PackageRepository {
  readonly name: string;
  readonly version: string;
  /** What of the package people wrote: what its build made is left behind. */
  readonly take: readonly string[];
}

/** Of about 20,000, 30,000 and 200,000 tokens of source, all in TypeScript. */
export const packageRepositories = {
  small: { name: 'immer', version: '10.1.1', take: ['src', 'readme.md', 'package.json', 'LICENSE'] },
  middle: { name: 'reselect', version: '5.1.1', take: ['src', 'package.json', 'LICENSE'] },
  large: { name: 'rxjs', version: '7.8.2', take: ['src', 'README.md', 'package.json'] },
} as const satisfies Readonly<Record<string, PackageRepository>>;
export type RepositorySize = keyof typeof packageRepositories;
export const repositorySizes = Object.keys(packageRepositories) as readonly RepositorySize[];

/** Lays a repository out below `parent`, in a folder of its name; returns the folder. Fetches the package when it is not in the cache. */
export async function layOut({ name, version, take }: PackageRepository, parent: string): Promise<string> {
  const from = await ensurePackage(name, version);
  const folder = path.join(parent, name);
  await mkdir(folder, { recursive: true });
  for (const one of take) await cp(path.join(from, one), path.join(folder, one), { recursive: true });
  return folder;
}
