import { getLlama, GgmlType, type Llama, type LlamaOptions, NoBinaryFoundError } from 'node-llama-cpp';
import * as z from 'zod';
import type { KvType } from '../../protocol/kv.js';
import { kvTypes } from '../../protocol/kv.js';
import type { KvEngine, WithoutFormats } from '../../model/kvPresets.js';
import { failure } from '../../base/errors.js';

/** CMake options by which node-llama-cpp tells our binding from its own; scripts/lib/native/build.mjs lays it out under the same. */
export const loupeBuild = { LOUPE: 'kv' };

/** A loaded binding, and what it has beyond upstream's. */
export interface Binding extends KvEngine {
  readonly llama: Llama;
  readonly kind: 'loupe' | 'stock';
  /** With the stock binding: why, and what that means, for the user. */
  readonly note?: string;
  readonly formatVersion: number;
  /** Storage formats beyond upstream's, by the engine's names. */
  readonly formats: readonly string[];
  /** Instruction set of our kernels; empty without them. */
  readonly isa: string;
  /** ggml type number of a storage format. Throws when the engine lacks it. */
  typeOf(type: KvType): number;
  /** Rows that a compressed cache keeps in f16 beside it, for each sequence. */
  readonly f16Rows: number;
}

export interface BindingOptions {
  /** Load the stock binding even where ours is there. */
  readonly stockOnly: boolean;
  readonly llama: Pick<LlamaOptions, 'logger' | 'logLevel'>;
}

const base = { build: 'never', skipDownload: true, progressLogs: false, maxThreads: 0 } as const;

/**
 * Loads one binding for this process: a stock one that drives a graphics processor where that is possible, else ours, else the stock one.
 * Never both: they carry libraries of the same names, and the second would be linked to those of the first.
 */
export async function loadBinding({ stockOnly, llama: options }: BindingOptions): Promise<Binding> {
  const onGpu = await tryLoad({ ...base, ...options, gpu: { type: 'auto', exclude: [false] } });
  if (onGpu) return stock(onGpu, onGpu.gpu === false ? 'stock' : 'gpu');
  if (!stockOnly) {
    // Asked for by its options, ours never hides the stock one, which therefore still serves where ours does not run.
    const ours = await tryLoad({ ...base, ...options, gpu: false, cmakeOptions: loupeBuild, existingPrebuiltBinaryMustMatchBuildOptions: true });
    if (ours) return describe(ours);
  }
  return stock(await getLlama({ ...base, ...options, gpu: false }), 'stock');
}

/** The binding of `usual` again, for work that must not use the graphics processor. */
export async function withoutGpu(usual: Binding, options: BindingOptions['llama']): Promise<Binding> {
  return usual.llama.gpu === false ? usual : stock(await getLlama({ ...base, ...options, gpu: false }), 'gpu');
}

/** Undefined where no such binding is installed, or none that runs here. */
async function tryLoad(options: LlamaOptions): Promise<Llama | undefined> {
  try {
    return await getLlama(options);
  } catch (thrown) {
    if (thrown instanceof NoBinaryFoundError || (thrown instanceof Error && thrown.message.startsWith('No GPU types available'))) return undefined;
    throw thrown;
  }
}

const notes: Readonly<Record<WithoutFormats, string>> = {
  stock: 'The prebuilt engine is in use, because Loupe\'s own is not installed or does not run on this machine. The presets "compact" and "smallest" '
    + 'keep their KV cache in q8_0, about half of f16, the others in f16: conversations can be shorter than with Loupe\'s own engine.',
  gpu: 'The prebuilt engine for the graphics processor is in use. Presets below "exact" keep their KV cache in q8_0, about half of f16.',
};

function stock(llama: Llama, reason: WithoutFormats): Binding {
  return { ...of(llama, { formatVersion: 0, formats: [], isa: '', tailRows: 0 }), kind: 'stock', note: notes[reason], lacksBecause: reason };
}

const loupeSchema = z.object({ formatVersion: z.number().int(), formats: z.array(z.object({ name: z.string(), type: z.number().int() })), isa: z.string(), tailRows: z.number().int() });

/** node-llama-cpp does not hand the loaded addon out, but keeps it; loading the file again would give exports of another instance. */
const addonSchema = z.object({ loupe: z.custom<() => unknown>((value) => typeof value === 'function') });

function describe(llama: Llama): Binding {
  const addon = addonSchema.safeParse(Reflect.get(llama, '_bindings'));
  if (!addon.success) return stock(llama, 'stock');
  return { ...of(llama, loupeSchema.parse(addon.data.loupe())), kind: 'loupe' };
}

/** Sorted by the table of formats, so that status and report do not depend on the engine's order. */
function of(llama: Llama, engine: z.infer<typeof loupeSchema>): Omit<Binding, 'kind'> {
  const types = new Map<string, number>([['f16', GgmlType.F16], ['q8_0', GgmlType.Q8_0], ...engine.formats.map(({ name, type }) => [name, type] as const)]);
  return {
    llama, formatVersion: engine.formatVersion, isa: engine.isa, f16Rows: engine.tailRows,
    formats: kvTypes.filter((type) => engine.formats.some(({ name }) => name === type)),
    has: (type) => types.has(type),
    typeOf: (type) => {
      const number = types.get(type);
      if (number === undefined) throw failure('kv.formatIgnored', `The engine cannot store the KV cache in ${type}.`, 'Choose the preset "exact" in the setting loupe.kv.preset.');
      return number;
    },
  };
}
