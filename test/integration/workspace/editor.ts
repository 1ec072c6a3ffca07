import { hashText, NodeEdits } from '../../../src/agent/workspace/nodeEdits.js';

/** Accepts edits without end, ROOT: `a.txt` says n throughout, and each n gets a new file. Says n once edit n is written. */
const root = process.argv[2];
if (root === undefined) throw new Error('usage: ROOT');
const edits = new NodeEdits(root);
const { signal } = new AbortController();
const version = (n: number): string => `${n},`.repeat(100_000);
for (let n = 1; ; n++) {
  const before = version(n - 1);
  await edits.apply({ path: 'a.txt', kind: 'replace', before, after: version(n), beforeHash: hashText(before) }, signal);
  await edits.apply({ path: `new/${n}.txt`, kind: 'create', before: '', after: version(n), beforeHash: hashText('') }, signal);
  process.stdout.write(`${n}\n`);
}
