import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { type LoupeError, makeError } from '../base/errors.js';
import { type Result, err, ok } from '../base/result.js';
import { type CatalogueEntry, catalogue } from './catalogue.js';
import type { FitModel } from './fit.js';
import { readGguf } from './gguf.js';
import { type ModelShape, modelShape } from './modelShape.js';

/** A model file that is there and whose header is sound. Its weights are checked by hash when it is first loaded. */
export interface InstalledModel {
  readonly path: string;
  /** Bytes of all parts together. */
  readonly fileBytes: number;
  readonly shape: ModelShape;
  /** The catalogue's entry when name and size are its. */
  readonly entry?: CatalogueEntry;
}

export interface Installed {
  readonly models: readonly InstalledModel[];
  /** Files that look like models but cannot be used, and why. */
  readonly broken: readonly { readonly path: string; readonly error: LoupeError }[];
}

/** More files than this in one folder are not looked at. */
const maximumFiles = 500;

/**
 * The models in a folder (not below it) and at the paths given. A folder that does not exist has none. Later parts of split
 * models, projectors and adapters are left out; files still being downloaded end in `.part` and are never seen.
 */
export async function installedModels(directory: string, files: readonly string[] = []): Promise<Installed> {
  const names = await readdir(directory).catch(() => [] as string[]);
  const candidates = names.filter((name) => name.toLowerCase().endsWith('.gguf')).sort().slice(0, maximumFiles).map((name) => path.join(directory, name));
  const explicit = files.filter((file) => !candidates.includes(file));
  const models: InstalledModel[] = [];
  const broken: { path: string; error: LoupeError }[] = [];
  for (const file of [...candidates, ...explicit]) {
    const split = splitName(file);
    if (split && split.part !== 1 && !explicit.includes(file)) continue;
    const model = await inspectModel(file);
    if (!model.ok) broken.push({ path: file, error: model.error });
    else if (model.value) models.push(model.value);
  }
  return { models, broken };
}

/** One file. Undefined for a GGUF file that is no language model by itself: a projector, an adapter, a vocabulary. */
export async function inspectModel(file: string): Promise<Result<InstalledModel | undefined>> {
  const header = await readGguf(file);
  if (!header.ok) return header;
  const type = header.value.metadata.get('general.type');
  const architecture = header.value.metadata.get('general.architecture');
  if ((type !== undefined && type !== 'model') || architecture === 'clip') return ok(undefined);
  const shape = modelShape(header.value);
  if (!shape || header.value.tensors.length === 0) {
    return err(makeError('model.unsupported', `${path.basename(file)} is a GGUF file, but not a language model that Loupe understands.`, 'Choose another GGUF file.'));
  }
  const parts = await partBytes(file, header.value.fileBytes, shape.parts);
  if (!parts.ok) return parts;
  const entry = catalogue.find((e) => e.file === path.basename(file) && e.sizeBytes === header.value.fileBytes);
  return ok({ path: file, fileBytes: parts.value, shape, ...(entry ? { entry } : {}) });
}

const splitName = (file: string): { part: number; count: number } | undefined => {
  const match = /-(\d{5})-of-(\d{5})\.gguf$/i.exec(file);
  return match ? { part: Number(match[1]), count: Number(match[2]) } : undefined;
};

async function partBytes(file: string, firstBytes: number, parts: number): Promise<Result<number>> {
  if (parts === 1) return ok(firstBytes);
  const split = splitName(file);
  const missing = (name: string): Result<number> =>
    err(makeError('model.truncated', `${path.basename(file)} is one of ${parts} parts, and ${name} is missing.`, 'Put all parts into the same folder, and choose the first one.'));
  if (split?.part !== 1 || split.count !== parts) return missing('the first one');
  let total = firstBytes;
  for (let part = 2; part <= parts; part++) {
    const other = file.replace(/-00001-of-(\d{5})\.gguf$/i, `-${String(part).padStart(5, '0')}-of-$1.gguf`);
    const found = await stat(other).catch(() => undefined);
    if (!found) return missing(path.basename(other));
    total += found.size;
  }
  return ok(total);
}

/** A name for people: the catalogue's, else what the file calls itself, else the file name. */
export function displayName(model: InstalledModel): string {
  const own = model.shape.name?.replace(/[^\x20-\x7e\u00a0-\u024f]/g, ' ').trim().slice(0, 80);
  return model.entry?.name ?? (own || path.basename(model.path, '.gguf'));
}

export function fitModel(model: InstalledModel): FitModel {
  const { shape } = model;
  return { weightsBytes: model.fileBytes, kv: shape.kv, architecture: shape.architecture, trainContext: shape.trainContext, vocabulary: shape.vocabulary, embedding: shape.embedding };
}

export const entryFit = (entry: CatalogueEntry): FitModel => ({ ...entry, weightsBytes: entry.sizeBytes });
