import assert from 'node:assert/strict';
import { isAboutWorkspace } from '../../../src/agent/aboutWorkspace.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import { ripgrep, withFolder } from './support/folder.js';
import { answer, call, calls } from './support/scriptedModel.js';
import { echo, run } from './support/turns.js';

const files = { 'src/store.ts': 'export class ParcelStore {}\nexport function is_final() {}\n', 'README.md': 'Parcels.\n', 'Cargo.toml': '' };

suite('whether a question is about the repository (real ripgrep)', () => {
  const check = (question: string, expected: boolean): void => {
    test(`${question} -> ${expected ? 'look' : 'not said'}`, () => withFolder(files, async (root) => {
      assert.equal(await isAboutWorkspace(question, new NodeWorkspace(root, ripgrep), new AbortController().signal), expected);
    }));
  };
  check('What does this repository do?', true);
  check('Summarize the README.', true);
  check('In which file is the number set?', true);
  check('Which files are in src?', true);
  check('Who calls is_final?', true);
  check('What does `is_final` say?', true);
  check('How does ParcelStore keep its parcels?', true);
  check('Explain src/store.ts', true);
  check('What is in Cargo.toml?', true);
  check('hello', false);
  check('Thanks, that helped!', false);
  check('What is a closure in JavaScript?', false);
  check('How do I read a file in Python?', false);
  check('What does useState return in React?', false);
  check('What is Node.js?', false);
});

test('a search that cannot be made says nothing of the question, and does not fail it', () => withFolder(files, async (root) => {
  assert.equal(await isAboutWorkspace('Who calls is_final?', new NodeWorkspace(root, `${root}/no-such-program`), new AbortController().signal), false);
}));

suite('agent loop: eagerness', () => {
  const about = (is: boolean) => () => Promise.resolve(is);
  const look = (): ReturnType<typeof calls> => calls(call('echo', { value: String(Math.random()) }));
  const eagerness = async (options: Parameters<typeof run>[0]): Promise<(boolean | undefined)[]> => (await run(options)).model.requests.map(({ eager }) => eager);

  test('a question about the repository is looked up first; after a result the model decides', async () => {
    assert.deepEqual(await eagerness({ isAboutWorkspace: about(true), replies: [look(), answer('Here.')] }), [true, undefined]);
    assert.deepEqual(await eagerness({ isAboutWorkspace: about(false), replies: [look(), answer('Here.')] }), [false, undefined]);
    assert.deepEqual(await eagerness({ replies: [answer('Here.')] }), [undefined]);
  });

  test('results that say little leave it eager, three times at most', async () => {
    const vague = echo('echo', 'read', () => ({ outcome: 'ok', content: 'nearly', summary: 'nearly', truncated: true, inconclusive: true }));
    const nothing = echo('echo', 'read', () => ({ outcome: 'empty', content: 'none', summary: 'none', truncated: false }));
    for (const tool of [vague, nothing]) {
      const seen = await eagerness({ isAboutWorkspace: about(true), tools: [tool], replies: [look(), look(), look(), answer('Not found.')] });
      assert.deepEqual(seen, [true, true, true, undefined]);
    }
  });

  test('what the user attached comes first', async () => {
    assert.deepEqual(await eagerness({ isAboutWorkspace: about(true), context: 'File a.ts', replies: [answer('Here.')] }), [undefined]);
  });
});
