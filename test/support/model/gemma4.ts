import { fileURLToPath, pathToFileURL } from 'node:url';
import { join } from 'node:path';

/** What native/bench/gemma4/gemma4.mjs exports, for tests: Gemma 4 files with random weights and the attention of the real models. */
export interface Gemma4Files {
  readonly geometries: Readonly<Record<string, { readonly window: number }>>;
  geometryOf(name: string, options?: { allLayers: boolean }): object;
  writeHeaderOnly(file: string, geometry: object): void;
  ensureGemma4(name: string): Promise<string>;
}

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** A module of the scripts, which are JavaScript, by its path below the root of the checkout. */
export const script = async <T>(...file: string[]): Promise<T> => await import(pathToFileURL(join(root, ...file)).href) as T;

export const gemma4Files = (): Promise<Gemma4Files> => script('native', 'bench', 'gemma4', 'gemma4.mjs');
