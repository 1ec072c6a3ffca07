import { compare } from '../files/walk.js';
import { definedNames, type FileFacts } from '../symbols/facts.js';
import { languageOf } from '../symbols/languages.js';

/** File `from` uses `name`, which file `to` defines; indices into `ReferenceGraph.paths`. */
export interface Reference {
  readonly to: number;
  readonly name: string;
  readonly weight: number;
}

/** Which files use what other files define. An edge says that names agree, not that a compiler resolved them: see the weight. */
export interface ReferenceGraph {
  /** In the order of `compare`. */
  readonly paths: readonly string[];
  /** For each file, what it uses of others: by file, then by name. */
  readonly references: readonly (readonly Reference[])[];
}

/** A name that more files define says nothing about which of them is meant. */
const mostDefinitions = 12;
/** A method is called through something whose type is not known here, and shares its name with those of libraries. */
const weightOfMember = 0.1;

/**
 * Ties files together by the names that one uses and another defines. The weight of a name is its rarity: sqrt(uses) * ln(1 + files / files that use it)
 * / files that define it: the square root, because the tenth use in a file adds little; the logarithm is the inverse document frequency of Sparck Jones
 * (1972), by which a name that every file uses ties nobody to anybody. Names are compared within a family of languages. Linear in the number of uses.
 */
export function referenceGraph(files: ReadonlyMap<string, FileFacts>): ReferenceGraph {
  const paths = [...files.keys()].sort(compare);
  const families = paths.map((path) => languageOf(path)?.family ?? '');
  const definers = new Map<string, { readonly file: number; readonly weight: number }[]>();
  const users = new Map<string, number>();
  paths.forEach((path, file) => {
    const facts = files.get(path);
    if (facts === undefined) return;
    for (const [name, where] of definedNames(facts)) push(definers, `${families[file]} ${name}`, { file, weight: where === 'top' ? 1 : weightOfMember });
    for (const [name] of facts.references) users.set(`${families[file]} ${name}`, (users.get(`${families[file]} ${name}`) ?? 0) + 1);
  });
  const references = paths.map((path, from) => {
    const found: Reference[] = [];
    for (const [name, count] of files.get(path)?.references ?? []) {
      const key = `${families[from]} ${name}`;
      const targets = definers.get(key);
      if (targets === undefined || targets.length > mostDefinitions) continue;
      const weight = Math.sqrt(count) * Math.log(1 + paths.length / (users.get(key) ?? 1)) / targets.length;
      for (const target of targets) if (target.file !== from) found.push({ to: target.file, name, weight: weight * target.weight });
    }
    return found.sort((a, b) => a.to - b.to || compare(a.name, b.name));
  });
  return { paths, references };
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
