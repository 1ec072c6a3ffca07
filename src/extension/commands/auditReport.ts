import type { KvAudit } from '../../protocol/sidecar.js';

const mebibyte = 1024 * 1024;

export function formatBytes(bytes: number): string {
  if (bytes >= 1024 * mebibyte) return `${(bytes / 1024 / mebibyte).toFixed(2)} GiB`;
  if (bytes >= mebibyte) return `${(bytes / mebibyte).toFixed(1)} MiB`;
  return bytes >= 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${bytes} B`;
}

const count = (n: number): string => Math.round(n).toLocaleString('en-US');

/** The memory of the loaded models as Markdown: what they take now, and what each KV format would give. */
export function auditReport(audits: readonly KvAudit[]): string {
  const head = '# Loupe: memory audit\n\nAll figures are of the models that are loaded now. The context that fits is counted against the memory that is free at this moment, up to what the model was trained for.\n';
  return [head, ...audits.map(section)].join('\n');
}

function section(a: KvAudit): string {
  const { total, global, slidingWindow, window } = a.layers;
  const layers = slidingWindow === 0 ? `${total}, all keep every token` : `${total}: ${global} keep every token, ${slidingWindow} keep a window of ${count(window)} tokens`;
  const rows: readonly (readonly [string, string])[] = [
    ['Weights', formatBytes(a.weightsBytes)],
    ['Context', `${count(a.contextSize)} tokens${a.sequences > 1 ? `, for each of ${a.sequences} conversations at a time` : ''}`],
    ['Tokens held', count(a.tokensUsed)],
    ['Layers', layers],
    ['KV format', `keys ${a.kvKeys}, values ${a.kvValues}`],
    ['KV per token', formatBytes(a.bytesPerTokenGrowing)],
    ...(a.bytesWindow > 0 ? [['KV of the window layers', formatBytes(a.bytesWindow)] as const] : []),
    ['KV in total', formatBytes(a.bytesTotal)],
    ['Free memory', formatBytes(a.freeRamBytes)],
  ];
  const formats = a.formats.map((f) => {
    const now = f.keys === a.kvKeys && f.values === a.kvValues ? ' (now)' : '';
    return `| ${f.keys} / ${f.values}${now} | ${formatBytes(f.bytesPerToken)} | ${formatBytes(f.bytesTotal)} | ${count(f.contextThatFits)} tokens |`;
  });
  return [
    `## ${a.model} (${a.role})`, '',
    '| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`), '',
    `| Keys / values | KV per token | KV at this context${a.sequences > 1 ? `, ${a.sequences} conversations` : ''} | Context that fits |`, '|---|---:|---:|---:|', ...formats, '',
  ].join('\n');
}
