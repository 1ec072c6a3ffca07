import { presets } from '../../model/kvPresets.js';
import type { KvFormat } from '../../protocol/kv.js';
import type { EngineInfo, KvAudit } from '../../protocol/sidecar.js';

const mebibyte = 1024 * 1024;

export function formatBytes(bytes: number): string {
  if (bytes >= 1024 * mebibyte) return `${(bytes / 1024 / mebibyte).toFixed(2)} GiB`;
  if (bytes >= mebibyte) return `${(bytes / mebibyte).toFixed(1)} MiB`;
  return bytes >= 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${bytes} B`;
}

const count = (n: number): string => Math.round(n).toLocaleString('en-US');

/** The memory of the loaded models as Markdown: what they take now, and what each preset of the KV cache would give. */
export function auditReport(audits: readonly KvAudit[]): string {
  const head = '# Loupe: memory audit\n\nAll figures are of the models that are loaded now. The context that fits is counted against the memory that is free at this moment, up to what the model was trained for.\n';
  const foot = 'The preset is the setting `loupe.kv.preset`; "Loupe: Choose Model" offers it too.\n';
  return [head, ...audits.map(section), foot].join('\n');
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

const engineName = ({ binding, isa, llamaCpp, gpu }: EngineInfo): string => {
  const own = binding === 'loupe' ? `Loupe's own${isa === '' ? '' : ` (${isa})`}` : 'prebuilt';
  return `${own}, llama.cpp ${llamaCpp}${gpu === 'none' ? '' : `, ${gpu}`}`;
};

const storage = ({ keys, values }: KvFormat): string => (keys === values ? keys : `${keys} / ${values}`);
