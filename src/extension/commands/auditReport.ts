import { presets } from '../../model/kvPresets.js';
import type { KvFormat } from '../../protocol/kv.js';
import type { MemoryList, SnapshotInfo } from '../../protocol/memory.js';
import type { EngineInfo, KvAudit } from '../../protocol/sidecar.js';

const mebibyte = 1024 * 1024;

export function formatBytes(bytes: number): string {
  if (bytes >= 1024 * mebibyte) return `${(bytes / 1024 / mebibyte).toFixed(2)} GiB`;
  if (bytes >= mebibyte) return `${(bytes / mebibyte).toFixed(1)} MiB`;
  return bytes >= 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${bytes} B`;
}

const count = (n: number): string => Math.round(n).toLocaleString('en-US');

/** What is remembered, and whose: `names` are what the sidecar calls the loaded models, by the audits' order. */
export interface AuditedMemory extends MemoryList { readonly names: readonly string[] }

/** The memory of the loaded models as Markdown: what they take now, what each preset of the KV cache would give, and what is remembered of repositories. */
export function auditReport(audits: readonly KvAudit[], memory?: AuditedMemory): string {
  const head = '# Loupe: memory audit\n\nAll figures are of the models that are loaded now. The context that fits is counted against the memory that is free at this moment, up to what the model was trained for.\n';
  const foot = 'The preset is the setting `loupe.kv.preset`; "Loupe: Choose Model" offers it too.\n';
  return [head, ...audits.map(section), foot, ...(memory === undefined ? [] : [memorySection(audits, memory)])].join('\n');
}

function section(a: KvAudit): string {
  const { total, global, slidingWindow, window } = a.layers;
  const layers = slidingWindow === 0 ? `${total}, all keep every token` : `${total}: ${global} keep every token, ${slidingWindow} keep a window of ${count(window)} tokens`;
  const rows: readonly (readonly [string, string])[] = [
    ['Engine', engineName(a.engine)],
    ['Weights', formatBytes(a.weightsBytes)],
    ['Context', `${count(a.contextSize)} tokens${a.sequences > 1 ? `, for each of ${a.sequences} conversations at a time` : ''}`],
    ['Tokens held', count(a.tokensUsed)],
    ['Layers', layers],
    ['KV cache', `${a.kvPreset}: ${storage(a.kv)}`],
    ['KV per token', formatBytes(a.bytesPerTokenGrowing)],
    ...(a.bytesWindow > 0 ? [['KV of the window layers', formatBytes(a.bytesWindow)] as const] : []),
    ...(a.bytesTail > 0 ? [[`KV of ${a.kv.f16Rows} tokens kept in f16`, formatBytes(a.bytesTail)] as const] : []),
    ['KV in total', formatBytes(a.bytesTotal)],
    ['Free memory', formatBytes(a.freeRamBytes)],
  ];
  const exact = a.presets.find(({ preset }) => preset === 'exact')?.bytesPerToken ?? 0;
  const offers = a.presets.map((offer) => [
    `${offer.preset}${offer.preset === a.kvPreset ? ' (now)' : ''}${offer.note === undefined ? '' : ' *'}`, storage(offer.kv), formatBytes(offer.bytesPerToken),
    exact === 0 ? '' : `${Math.round((100 * offer.bytesPerToken) / exact)} %`, formatBytes(offer.bytesTotal), `${count(offer.contextThatFits)} tokens`, presets[offer.preset].description,
  ]);
  return [
    `## ${a.model} (${a.role})`, '',
    '| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`), '',
    ...[a.engine.bindingNote, a.kvNote].flatMap((note) => (note === undefined ? [] : [note, ''])),
    `| Preset | Storage | KV per token | Of f16 | KV at this context${a.sequences > 1 ? `, ${a.sequences} conversations` : ''} | Context that fits | |`,
    '|---|---|---:|---:|---:|---:|---|', ...offers.map((cells) => `| ${cells.join(' | ')} |`), '',
    ...(a.presets.some(({ note }) => note !== undefined) ? ['\\* The engine in use lacks the formats of this preset for this model, and stores the cache in larger ones.', ''] : []),
  ].join('\n');
}

/** One row for each repository and model: a sliding window needs several states for one memory. */
function memorySection(audits: readonly KvAudit[], { snapshots, bytes, budgetBytes, names }: AuditedMemory): string {
  const groups = new Map<string, SnapshotInfo[]>();
  for (const state of snapshots) {
    const key = JSON.stringify([state.memory, state.model, state.kv.keys, state.kv.values]);
    groups.set(key, [...groups.get(key) ?? [], state]);
  }
  const rows = [...groups.values()].map((states) => {
    const whole = states.reduce((most, state) => (state.tokens > most.tokens ? state : most));
    const onDisk = states.reduce((sum, state) => sum + state.bytes, 0);
    const audit = audits[names.indexOf(whole.model)];
    const held = cacheBytes(audit, whole);
    return [
      whole.memory, audit?.model ?? whole.model, storage(whole.kv), count(whole.tokens), held === undefined ? 'not loaded' : formatBytes(held), formatBytes(onDisk), formatBytes(whole.f16Bytes),
      whole.f16Bytes > 0 ? `${Math.round((100 * (held ?? onDisk)) / whole.f16Bytes)} %` : '',
    ];
  });
  const title = ['## What is remembered of repositories', ''];
  const disk = `On disk ${formatBytes(bytes)} of at most ${formatBytes(budgetBytes)} (\`loupe.memory.diskGigabytes\`).`;
  if (rows.length === 0) return [...title, 'Nothing yet. Loupe reads the repository of the chat in the background once its model is loaded.', '', disk, ''].join('\n');
  return [
    ...title, '| Repository | Model | Storage | Tokens | In the cache | On disk | In f16 | Of f16 |', '|---|---|---|---:|---:|---:|---:|---:|',
    ...rows.map(([repository = '', model = '', ...figures]) => `| ${[cell(repository), cell(model), ...figures.map((text) => text.replaceAll(' ', '\u00a0'))].join(' | ')} |`), '', disk, '',
    `"In the cache" is what these tokens take in memory while a chat uses them, with the model that is loaded now.${tails(audits)}`, '',
  ].join('\n');
}

/** A small repository looks large beside it. */
function tails(audits: readonly KvAudit[]): string {
  const bytes = audits.filter(({ bytesTail }) => bytesTail > 0).map(({ bytesTail, sequences }) => formatBytes(bytesTail / sequences));
  return bytes.length === 0 ? '' : ` ${bytes.join(' or ')} of it is the same for any length: the first and the newest tokens in f16.`;
}

/** Bytes of the tokens in the cache of the model, where it is the one that is loaded, in the same storage. */
function cacheBytes(audit: KvAudit | undefined, { tokens, kv }: SnapshotInfo): number | undefined {
  if (audit === undefined || audit.kv.keys !== kv.keys || audit.kv.values !== kv.values) return undefined;
  return tokens * audit.bytesPerTokenGrowing + (audit.bytesWindow + audit.bytesTail) / audit.sequences;
}

/** Names come from folders and model files, which may hold anything. */
const cell = (text: string): string => text.replace(/[\\|<`*_[\]]/g, '\\$&').replace(/\s+/g, ' ');

const engineName = ({ binding, isa, llamaCpp, gpu }: EngineInfo): string => {
  const own = binding === 'loupe' ? `Loupe's own${isa === '' ? '' : ` (${isa})`}` : 'prebuilt';
  return `${own}, llama.cpp ${llamaCpp}${gpu === 'none' ? '' : `, ${gpu}`}`;
};

const storage = ({ keys, values }: KvFormat): string => (keys === values ? keys : `${keys} / ${values}`);
