// The results of quality.mjs as a page and a plot.
import fs from 'node:fs';
import { fromRoot } from '../../scripts/lib/paths.mjs';
import { memoryTable } from './qualityMemory.mjs';

const digits = (value, n) => (Number.isFinite(value) ? value.toFixed(n) : '');

/** Writes docs/eval/kv-quality.md and docs/eval/kv-quality.svg; `results`: model -> storage -> figures, `memory`: model -> preset -> bytes. */
export function render(results, memory, context) {
  const parts = Object.entries(results).map(([model, storages]) => {
    const rows = Object.entries(storages).map(([name, one]) =>
      `| ${name} | ${digits(one.bits / 32, 3)} | ${digits(one.kld, 4)} | ${digits(one.kld999, 3)} | ${digits(one.sameTop, 1)} | ${digits(one.ppl, 3)} | ${one.chunks} |`);
    return `## ${model}\n\n| storage | bytes per token | mean KLD | 99.9 % KLD | same first choice, % | perplexity | chunks |\n|---|---|---|---|---|---|---|\n${rows.join('\n')}\n\nWhat the presets take, for one conversation:\n\n${memoryTable(memory[model])}`;
  });
  const page = `# Quality of the compressed KV cache

Made by \`node native/bench/quality.mjs\`: KL divergence of the next token's probabilities from those of f16, over ${context} tokens of code at a
time (the second half of each counts). Bytes per token are those of the layers that keep every token, as a share of f16. Upstream's storages
(f16 to iq4_nl) go through the same engine with its own rotation. Presets keep, beside the compressed rows, the first 8 and the newest 128
tokens of each query in f16, and layers with a window in f16 wholly; the lines "no f16 rows" are without the former. "f16, transforms" is f16
with the exact transforms switched on: mathematically the same, so it shows what rounding alone does.

![Bytes per token against mean KL divergence](kv-quality.svg)

${parts.join('\n')}`;
  fs.writeFileSync(fromRoot('docs', 'eval', 'kv-quality.md'), page);
  fs.writeFileSync(fromRoot('docs', 'eval', 'kv-quality.svg'), plot(results));
}

const [width, height, left, bottom, top, right] = [420, 320, 56, 44, 34, 16];

/** One panel for each model: bytes per token (share of f16) against mean KLD on a logarithmic scale. */
function plot(results) {
  const panels = Object.entries(results).map(([model, storages], index) => panel(model, Object.entries(storages), index * width));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width * panels.length} ${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
${panels.join('\n')}
</svg>
`;
}

function panel(model, storages, offset) {
  const range = [0.0005, 10];
  const x = share => left + (share / 0.6) * (width - left - right);
  const y = kld => top + (1 - Math.log(Math.max(kld, range[0]) / range[0]) / Math.log(range[1] / range[0])) * (height - top - bottom);
  const grid = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3].map(kld =>
    `<line x1="${left}" x2="${width - right}" y1="${digits(y(kld), 1)}" y2="${digits(y(kld), 1)}" stroke="#ddd"/><text x="${left - 6}" y="${digits(y(kld) + 4, 1)}" text-anchor="end">${kld}</text>`);
  const ticks = [0, 0.1, 0.2, 0.3, 0.4, 0.5].map(share =>
    `<text x="${digits(x(share), 1)}" y="${height - bottom + 16}" text-anchor="middle">${share}</text>`);
  const points = storages.filter(([name, one]) => one.bits < 20 && !name.includes(',')).map(([name, one]) => {
    const [at, up] = [digits(x(one.bits / 32), 1), digits(y(one.kld), 1)];
    const mark = one.ours ? `<circle cx="${at}" cy="${up}" r="4.5" fill="#0b6bcb"/>` : `<rect x="${at - 4}" y="${up - 4}" width="8" height="8" fill="none" stroke="#b3261e" stroke-width="1.5"/>`;
    return `${mark}<text x="${Number(at) + 7}" y="${Number(up) - 5}" fill="${one.ours ? '#0b6bcb' : '#b3261e'}">${name}</text>`;
  });
  return `<g transform="translate(${offset} 0)">
<text x="${left}" y="18" font-size="13" font-weight="bold">${model}</text>
${grid.join('\n')}
<line x1="${left}" x2="${width - right}" y1="${height - bottom}" y2="${height - bottom}" stroke="#444"/>
${ticks.join('\n')}
<text x="${(left + width - right) / 2}" y="${height - 8}" text-anchor="middle">bytes per token, share of f16</text>
<text transform="translate(12 ${(top + height - bottom) / 2}) rotate(-90)" text-anchor="middle">mean KL divergence from f16</text>
${points.join('\n')}
</g>`;
}
