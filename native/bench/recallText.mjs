// The text that recall.mjs asks about: real code with facts hidden in it, cut so that one text serves all lengths.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { fromRoot } from '../../scripts/lib/paths.mjs';
import { codeQuestions, colours, needleKinds, sources, tasks } from './recallQuestions.mjs';

/** Where facts stand, as shares of a length: those asked for one at a time, and those asked for three together. */
const depths = [0.05, 0.25, 0.5, 0.75, 0.95];
const groups = [[0.1, 0.4, 0.7], [0.3, 0.6, 0.9]];

/** mulberry32: a small generator of 32 bits with a seed, so that every run hides the same facts. Returns integers below n. */
function generator(seed) {
  let state = seed;
  return n => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

/** The code in pieces that end at blank lines. `indent`: how deep a function may stand before the piece; undefined where none may. */
function codePieces() {
  return sources.files.flatMap(file => {
    const code = fs.readFileSync(fromRoot('node_modules', sources.package, file), 'utf8').trim();
    let inClass = false;
    return `// File: ${sources.package}/${file}\n${code}`.split(/\n{2,}/).map((text, index) => {
      const indent = !/^[ })\]]/.test(text) ? '' : inClass && /^ {2}(\/\*\*|(static |async )?\w+\(.*\{$)/m.test(text.split('\n')[0]) ? '  ' : undefined;
      const outer = text.split('\n').filter(line => /^\S/.test(line) && !/^[ *})\]]/.test(line));
      if (outer.length > 0) inClass = /^(export )?class /.test(outer.at(-1));
      return { text, indent: index === 0 ? '' : indent };
    });
  });
}

/** One fact for each place and length, all different: {name, value, target, length, group}. `target` in tokens. */
function needles(lengths) {
  const random = generator(20261124);
  const names = needleKinds.flatMap(([kind, body]) => colours.map(colour => ({ kind, body, colour })));
  for (let i = names.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [names[i], names[j]] = [names[j], names[i]];
  }
  const places = lengths.flatMap(length => [
    ...depths.map(depth => ({ length, depth })), ...groups.flatMap((group, index) => group.map(depth => ({ length, depth, group: index }))),
  ]);
  if (places.length > names.length) throw new Error(`There are names for ${names.length} facts, not for ${places.length}.`);
  return places.map((place, index) => {
    const { kind, body, colour } = names[index];
    const name = `${kind}_${colour.toUpperCase()}`;
    const value = String(10000 + random(90000));
    return { ...place, target: Math.round(place.length * place.depth), name, value, function: body(colour, name, value) };
  });
}

const within = (text, indent) => (indent === '' ? `function ${text}` : text.split('\n').map(line => indent + line).join('\n'));

/**
 * Text for the stages of one model: `count` says how many tokens each of some texts has. Returns [{length, text, needles, groups, questions}],
 * each the continuation of the one before it, with what can be asked after it; and a hash of all of it.
 */
export async function material(lengths, count) {
  const pieces = codePieces();
  const facts = needles(lengths).sort((a, b) => a.target - b.target);
  const counts = await count([...pieces.map(piece => `${piece.text}\n\n`), ...facts.map(fact => `function ${fact.function}\n\n`)]);
  pieces.forEach((piece, i) => { piece.tokens = counts[i]; });
  facts.forEach((fact, i) => { fact.tokens = counts[pieces.length + i]; });

  const stages = [];
  let position = 0;
  let [next, hidden] = [0, 0];
  let whole = '';
  for (const length of lengths) {
    let text = '';
    const hide = (until, indent) => {
      for (; hidden < facts.length && facts[hidden].target <= until; hidden++) {
        facts[hidden].at = position;
        text += `${within(facts[hidden].function, indent)}\n\n`;
        position += facts[hidden].tokens;
      }
    };
    for (;;) {
      const piece = pieces[next];
      if (piece === undefined) throw new Error(`The code ends at ${position} tokens; ${length} are wanted.`);
      if (piece.indent !== undefined) hide(position + piece.tokens / 2, piece.indent);
      const due = facts.slice(hidden).filter(fact => fact.target < length).reduce((sum, fact) => sum + fact.tokens, 0);
      if (position + piece.tokens + due > length) break;
      text += `${piece.text}\n\n`;
      position += piece.tokens;
      next++;
    }
    hide(length - 1, '');
    whole += text;
    stages.push({
      length, text,
      needles: facts.filter(fact => fact.length === length && fact.group === undefined),
      groups: groups.map((_, group) => facts.filter(fact => fact.length === length && fact.group === group)),
      questions: codeQuestions.filter(question => whole.includes(question.evidence)),
    });
  }
  for (const { evidence } of codeQuestions) {
    if (!pieces.map(piece => piece.text).join('\n\n').includes(evidence)) throw new Error(`The code does not say: ${evidence}`);
  }
  return { stages, hash: createHash('sha256').update(JSON.stringify([stages])).digest('hex').slice(0, 12) };
}

/** Excerpts of about `tokens` tokens from places all over the code, each with a task. */
export async function excerpts(number, tokens, count) {
  const pieces = codePieces();
  const counts = await count(pieces.map(piece => `${piece.text}\n\n`));
  const starts = pieces.flatMap((piece, index) => (piece.indent === '' && counts[index] < tokens ? [index] : []));
  return Array.from({ length: number }, (_, i) => {
    let at = starts[Math.floor((i * starts.length) / number)];
    let [text, length] = ['', 0];
    while (at < pieces.length && length + counts[at] <= tokens) {
      text += `${pieces[at].text}\n\n`;
      length += counts[at++];
    }
    return { text, task: tasks[i % tasks.length] };
  });
}
