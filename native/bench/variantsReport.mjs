// The results of variants.mjs as a page.
import fs from 'node:fs';
import { fromRoot } from '../../scripts/lib/paths.mjs';

const digits = (value, n) => (Number.isFinite(value) ? value.toFixed(n) : '');
const cell = one => (one ? [digits(one.bits, 3), `${digits(one.kld, 4)} ± ${digits(one.kldError, 4)}`, digits(one.kld999, 2)] : ['', '', '']);

/** Writes docs/eval/kv-variants.md; `results`: model -> variant -> figures, `groups`: title -> [variant, how]. */
export function render(results, groups) {
  const names = Object.keys(results);
  const head = `| storage | ${names.map(name => `${name}: bits | mean KLD | 99.9 %`).join(' | ')} |\n|---|${'---|'.repeat(3 * names.length)}`;
  const tables = Object.entries(groups).map(([title, variants]) => {
    const rows = variants.filter(([variant]) => names.some(name => results[name][variant]))
      .map(([variant]) => `| ${variant} | ${names.flatMap(name => cell(results[name][variant])).join(' | ')} |`);
    return rows.length === 0 ? '' : `## ${title}\n\n${head}\n${rows.join('\n')}\n`;
  });
  fs.writeFileSync(fromRoot('docs', 'eval', 'kv-variants.md'), `# Ways to store the KV cache that were measured

Made by \`node native/bench/variants.mjs\`: KL divergence of the next token's probabilities from those of f16, over 2 x 2,048 tokens of code (the second
half of each counts), with its standard error. All are simulated inside an f16 cache after the transforms that the shipped formats have (key bias taken
out exactly, balance, rotation of whole heads), without tokens in f16 beside them, except for the last table. Bits are those of a value with its share of
scales and norms. Layers with a window stay in f16. What the bits of the norm come to depends on the size of a head: 128 values in Qwen, 256 in Gemma.

- \`kv4\`, \`kv4_32\`: shipped formats; \`lm4-128\`: the same code with a fitted scale for 128 values; \`lm3.5-64\`: half of the values have one bit more
- \`tq4\`: TurboQuant as published: random signs and a rotation, one norm for a row in half precision, nothing fitted; \`tq3.5\`: half of the rotated
  channels have one bit more; \`tq3.5split\`: as in the paper's experiments the channels are parted before the rotation, those with more energy get it
- \`+qjl1\`: one bit more for each value and a norm: signs of a random projection of the residual (with \`tq\`: TurboQuant_prod)
- \`+signs1\`: random signs (seed 1) before the rotation; \`+centre64\`: the mean of 64 tokens taken out and stored at 8 bits;
  \`+outliers4\`: the 4 channels with the largest energy kept apart at 8 bits; \`plain\`: with the key bias left in and without balance

${tables.filter(Boolean).join('\n')}`);
}
