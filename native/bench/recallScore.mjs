// What the answers of loupe-answer are worth.

/** Whether `text` says `wanted` as a whole: not as a part of a longer name or number. */
export function says(text, wanted) {
  const escaped = wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const [before, after] = [/^\w/.test(wanted) ? '(?<!\\w)' : '', /\w$/.test(wanted) ? '(?!\\w)' : ''];
  return new RegExp(before + escaped + after).test(text);
}

/**
 * `asked`: the questions of a stage, `stage`: its answers. Per kind a string with a character for each thing sought, 1 where it was found;
 * of answers that lack something, what was said.
 */
export function scoreStage(asked, { position, prefill_s: prefill, answer_s: answer, answers }) {
  const found = { single: '', group: '', code: '' };
  const missed = [];
  asked.forEach(({ kind, answers: wanted }, index) => {
    const said = answers[index].text;
    const marks = wanted.map(one => (says(said, one) ? '1' : '0')).join('');
    found[kind] += kind === 'code' ? (marks.includes('0') ? '0' : '1') : marks;
    if (marks.includes('0')) missed.push({ kind, wanted, said: said.trim() });
  });
  return { tokens: position, seconds: { prefill: Math.round(prefill), answers: Math.round(answer) }, found, missed };
}

/** Token ids of a text that holds them with blanks between. */
export const ids = text => (text === '' ? [] : text.split(' ').map(Number));

/** Log-probabilities, in nats, of the answers of f16; for f16 itself also these answers, so that the others can be asked about them. */
export function likelihoods({ answers }, isF16) {
  return {
    logProbabilities: answers.map(one => Number(one.log_probability.toFixed(4))), ...(isF16 ? { said: answers.map(({ tokens }) => tokens.join(' ')) } : {}),
  };
}

/**
 * What becomes of the right answers of f16: the geometric mean, over those that both stages were asked about, of their probability in one storage
 * against that in f16. undefined where it was not measured.
 */
export function likelihoodRatio(base, one) {
  const differences = Object.entries(one.lengths).flatMap(([length, stage]) => {
    const its = base.lengths[length];
    if (its?.logProbabilities === undefined || stage.logProbabilities === undefined) return [];
    return rightAnswers(its).flatMap((right, i) => (right ? [stage.logProbabilities[i] - its.logProbabilities[i]] : []));
  });
  return differences.length === 0 ? undefined : Math.exp(differences.reduce((sum, x) => sum + x, 0) / differences.length);
}

/** For each answer of a stage, in the order of the questions, whether all that it was asked for was in it; `size`: facts in a group. */
function rightAnswers({ found: { single, group, code } }, size = 3) {
  const groups = group.match(new RegExp(`.{${size}}`, 'g')) ?? [];
  return [...[...single].map(mark => mark === '1'), ...groups.map(marks => !marks.includes('0')), ...[...code].map(mark => mark === '1')];
}

/**
 * Outputs against those of f16, which are token ids with blanks. `whole`: how many are equal from beginning to end; `prefix`: tokens up to the
 * first difference, mean; `tokens`: share of places with the same token, an output that is longer than the other counting with its length.
 */
export function compareGreedy(base, answers) {
  let [whole, prefix, same, places] = [0, 0, 0, 0];
  answers.forEach(({ tokens }, index) => {
    const wanted = ids(base[index]);
    const longest = Math.max(wanted.length, tokens.length);
    let first = 0;
    while (first < longest && wanted[first] === tokens[first]) first++;
    whole += first === longest ? 1 : 0;
    prefix += first;
    for (let i = 0; i < longest; i++) same += wanted[i] === tokens[i] ? 1 : 0;
    places += longest;
  });
  return { whole, outputs: answers.length, prefix: prefix / answers.length, tokens: same / places };
}
