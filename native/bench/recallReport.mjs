// The results of recall.mjs as a page.
import { likelihoodRatio } from './recallScore.mjs';

const count = marks => [...marks].filter(mark => mark === '1').length;
const kinds = ['single', 'group', 'code'];

/** What only one of two storages found, over all lengths and kinds that both were asked. */
export function differences(base, one) {
  let [lost, gained] = [0, 0];
  for (const [length, { found }] of Object.entries(one.lengths)) {
    for (const kind of kinds) {
      [...(base.lengths[length]?.found[kind] ?? '')].forEach((mark, index) => {
        lost += mark === '1' && found[kind][index] === '0' ? 1 : 0;
        gained += mark === '0' && found[kind][index] === '1' ? 1 : 0;
      });
    }
  }
  return { lost, gained };
}

/** Everything that was found, of everything that was asked. */
const foundIn = one => Object.values(one.lengths).flatMap(({ found }) => kinds.map(kind => found[kind])).join('');

const storagesOf = results => Object.entries(results).filter(([name]) => name !== 'hash');

/** Storages whose rows our transforms have gone through. */
const ours = name => !/^(f16|f16 by upstream|q8_0|q4_0)$/.test(name);

/** The name of a storage with the notes that its line needs. */
function noted(name, one, base) {
  const notes = [...(one.measured || !ours(name) ? [] : ['¹']), ...(one.isa === base.isa ? [] : ['²'])];
  return [name, ...notes].join(' ');
}

function recallTable([model, results]) {
  if (results.f16 === undefined) return '';
  const lengths = Object.keys(results.f16.lengths);
  const cell = stage => (stage === undefined ? '' : kinds.map(kind => `${count(stage.found[kind])}/${stage.found[kind].length}`).join(' · '));
  const rows = storagesOf(results).map(([name, one]) => {
    const { lost, gained } = differences(results.f16, one);
    const ratio = name === 'f16' ? undefined : likelihoodRatio(results.f16, one);
    const verdict = name === 'f16' ? '' : `${lost} | ${gained} | ${ratio === undefined ? '' : ratio.toFixed(3)}`;
    const all = foundIn(one);
    return `| ${noted(name, one, results.f16)} | ${lengths.map(length => cell(one.lengths[length])).join(' | ')} | ${count(all)}/${all.length} | ${verdict || ' | | '} |`;
  });
  const tokens = lengths.map(length => `${results.f16.lengths[length].tokens} tokens`);
  return `### ${model}\n\n| storage | ${tokens.join(' | ')} | in all | found by f16 only | found by this only | probability of f16's right answers |\n|---|${lengths.map(() => '---|').join('')}---|---|---|---|\n${rows.join('\n')}\n`;
}

function greedyTable([model, results]) {
  const rows = storagesOf(results).filter(([name]) => name !== 'f16').map(([name, one]) =>
    `| ${noted(name, one, results.f16)} | ${one.whole} of ${one.outputs} | ${one.prefix.toFixed(0)} | ${(100 * one.tokens).toFixed(0)} % |`);
  return rows.length === 0 ? '' : `### ${model}\n\n| storage | outputs wholly equal | equal tokens before the first other one, mean | equal tokens |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

/** The page; `kept`: as in docs/eval/kv-recall.json, `greedy`: how the whole outputs were asked for. */
export function render(kept, greedy) {
  return `# What is found in a compressed KV cache

Made by \`node native/bench/recall.mjs\`, greedily, on two threads of a processor. "f16" goes through Loupe's kernels. Presets: faithful kv8/kv5, balanced
kv5/kv4, compact kv43m/kv3, smallest kv3m/kv2 (keys/values; mixed keys: kv43m of 4 and 3 bits, kv3m of 4 and 2). "f16 with transforms" and "f16 by upstream" are mathematically f16: they show what
other rounding alone does. "broken on purpose" (kv2/kv2 without any of the transforms or f16 rows) shows that the measurement can fail.
¹ measured when the transforms still followed from the weights alone (docs/decisions/2026-11-30-measured-queries-and-keys.md).
² measured on a processor with other instructions than f16 was, so that rounding differs also where the storage does not.

## Recall

Code of mocha with constants of random value hidden in functions of their own. Each cell: constants asked for one at a time · constants asked for
three together · questions about the code itself, found of asked. Qwen is asked in its chat format; Gemma, a base model, goes on with code.
The last column is the probability that the storage gives the right answers of f16, word by word, as a share of that in f16 (geometric mean): what answers that are right or wrong by a hair hide.
A preset passes with 0 in "found by f16 only". What the models find at 16,000 tokens and more is near the limit of what they can, so other rounding alone moves a few: "f16 with transforms" says how many.

${Object.entries(kept.recall).map(recallTable).join('\n')}
## Whole answers

${greedy.tokens} tokens about each of ${greedy.excerpts} excerpts of about ${greedy.excerptTokens} tokens of code, against those of f16. One token that comes out
otherwise makes the rest another text, so the lines of f16 are the measure, not 100 %.

${Object.entries(kept.greedy).map(greedyTable).join('\n')}`;
}
