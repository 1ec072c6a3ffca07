import { open, readdir, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import * as z from 'zod';
import { type InstalledModel, inspectModel } from './installed.js';

export interface OtherAppModel {
  readonly app: 'Ollama' | 'LM Studio';
  /** As that program calls it, for example `gemma4:e2b`. */
  readonly name: string;
  readonly model: InstalledModel;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** More than this is not looked at, in either program. */
const maximumFiles = 200;
const maximumManifestBytes = 256 * 1024;

const manifestSchema = z.object({ layers: z.array(z.object({ mediaType: z.string(), digest: z.string() })) });

/**
 * Models that Ollama and LM Studio have downloaded already, so that nobody fetches gigabytes twice. Only reads; what is missing,
 * unreadable or no language model is left out, since these are the files of another program.
 */
export async function otherAppModels(home: string = os.homedir(), env: Environment = process.env): Promise<readonly OtherAppModel[]> {
  const found = [...await ollamaFiles(home, env), ...await lmStudioFiles(home)];
  const inspected = new Map<string, ReturnType<typeof inspectModel>>(); // the tags of one model share its file
  const models: OtherAppModel[] = [];
  for (const { app, name, file } of found) {
    const inspection = inspected.get(file) ?? inspectModel(file);
    inspected.set(file, inspection);
    const model = await inspection;
    if (model.ok && model.value && canGenerate(model.value)) models.push({ app, name, model: model.value });
  }
  return models;
}

/** Both programs also keep models that only embed text; those are encoders, by the architectures that llama.cpp knows. */
const canGenerate = ({ shape }: InstalledModel): boolean => !/bert|^t5encoder$|embedding/i.test(shape.architecture);

interface Found { readonly app: OtherAppModel['app']; readonly name: string; readonly file: string }

/** Ollama keeps a manifest per tag (`manifests/<registry>/<namespace>/<model>/<tag>`) that names the weights by their hash. */
async function ollamaFiles(home: string, env: Environment): Promise<Found[]> {
  const root = env.OLLAMA_MODELS ?? path.join(home, '.ollama', 'models');
  const manifests = path.join(root, 'manifests');
  const found: Found[] = [];
  for (const relative of await filesBelow(manifests, 4)) {
    const parts = relative.split(path.sep);
    if (parts.length !== 4) continue;
    const [registry, namespace, model, tag] = parts as [string, string, string, string];
    const digest = await weightsDigest(path.join(manifests, relative));
    if (!digest) continue;
    const owner = namespace === 'library' ? '' : `${namespace}/`;
    const host = registry === 'registry.ollama.ai' ? '' : `${registry}/`;
    found.push({ app: 'Ollama', name: `${host}${owner}${model}:${tag}`, file: path.join(root, 'blobs', digest.replace(':', '-')) });
  }
  return found;
}

async function weightsDigest(manifest: string): Promise<string | undefined> {
  try {
    const text = await readSmall(manifest);
    const { layers } = manifestSchema.parse(JSON.parse(text));
    const digest = layers.find((layer) => layer.mediaType === 'application/vnd.ollama.image.model')?.digest;
    return digest && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined; // nothing else may become part of a path
  } catch {
    return undefined;
  }
}

async function readSmall(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    if (size > maximumManifestBytes) throw new Error('too large');
    return (await handle.readFile()).toString('utf8');
  } finally {
    await handle.close();
  }
}

/** LM Studio keeps `<publisher>/<repository>/<file>.gguf`; its folder was another one until 2025. */
async function lmStudioFiles(home: string): Promise<Found[]> {
  const found: Found[] = [];
  for (const root of [path.join(home, '.lmstudio', 'models'), path.join(home, '.cache', 'lm-studio', 'models')]) {
    for (const relative of await filesBelow(root, 3)) {
      if (!relative.toLowerCase().endsWith('.gguf') || /-(?!00001)\d{5}-of-\d{5}\.gguf$/i.test(relative)) continue;
      found.push({ app: 'LM Studio', name: relative.split(path.sep).join('/').replace(/\.gguf$/i, ''), file: path.join(root, relative) });
    }
  }
  return found;
}

/** Relative paths of regular files at most `depth` levels down, sorted. Links to folders are not followed. */
async function filesBelow(root: string, depth: number, under = ''): Promise<string[]> {
  const entries = await readdir(path.join(root, under), { withFileTypes: true }).catch(() => []);
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (files.length >= maximumFiles) break;
    const relative = path.join(under, entry.name);
    if (entry.isDirectory()) {
      if (depth > 1) files.push(...await filesBelow(root, depth - 1, relative));
    } else if (entry.isFile() || (entry.isSymbolicLink() && await isFile(path.join(root, relative)))) files.push(relative);
  }
  return files.slice(0, maximumFiles);
}

const isFile = async (file: string): Promise<boolean> => (await stat(file).catch(() => undefined))?.isFile() === true;
