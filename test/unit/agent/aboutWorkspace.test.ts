import assert from 'node:assert/strict';
import { aboutWorkspace, type About } from '../../../src/agent/aboutWorkspace.js';
import { NodeWorkspace } from '../../../src/agent/workspace/nodeWorkspace.js';
import { ripgrep, withFolder } from './support/folder.js';
import { answer, call, calls } from './support/scriptedModel.js';
import { echo, run } from './support/turns.js';

const files = { 'src/store.ts': 'export class ParcelStore {}\nexport function is_final() {}\n', 'README.md': 'Parcels.\n', 'Cargo.toml': '' };

suite('whether a question is about the repository (real ripgrep)', () => {
  const check = (question: string, expected: About | undefined): void => {
    test(`${question} -> ${expected ?? 'not said'}`, () => withFolder(files, async (root) => {
      assert.equal(await aboutWorkspace(question, new NodeWorkspace(root, ripgrep), new AbortController().signal), expected);
    }));
  };
  check('What does this repository do?', 'repository');
  check('Summarize the README.', 'repository');
  check('In which file is the number set?', 'repository');
  check('Which files are in src?', 'repository');
  check('Who calls is_final?', 'code');
  check('What does `is_final` say?', 'code');
  check('How does ParcelStore keep its parcels?', 'code');
  check('Which file defines ParcelStore?', 'code');
  check('Which file of this repository defines NoSuchThing?', 'repository');
  check('Explain src/store.ts', 'repository');
  check('What is in Cargo.toml?', 'repository');
  check('hello', undefined);
  check('Thanks, that helped!', undefined);
  check('What is a closure in JavaScript?', undefined);
  check('How do I read a file in Python?', undefined);
  check('What does useState return in React?', undefined);
  check('What is Node.js?', undefined);
});

test('a search that cannot be made says nothing of the question, and does not fail it', () => withFolder(files, async (root) => {
  assert.equal(await aboutWorkspace('Who calls is_final?', new NodeWorkspace(root, `${root}/no-such-program`), new AbortController().signal), undefined);
}));

suite('agent loop: eagerness', () => {
  const about = (what?: About) => () => Promise.resolve(what);
  const look = (): ReturnType<typeof calls> => calls(call('echo', { value: String(Math.random()) }));
  const eagerness = async (options: Parameters<typeof run>[0]): Promise<(boolean | undefined)[]> => (await run(options)).model.requests.map(({ eager }) => eager);

  test('a question about the repository is looked up first; after a result the model decides', async () => {
    assert.deepEqual(await eagerness({ aboutWorkspace: about('repository'), replies: [look(), answer('Here.')] }), [true, undefined]);
    assert.deepEqual(await eagerness({ aboutWorkspace: about(), replies: [look(), answer('Here.')] }), [false, undefined]);
    assert.deepEqual(await eagerness({ replies: [answer('Here.')] }), [undefined]);
  });

  test('results that say little leave it eager, three times at most', async () => {
    const vague = echo('echo', 'read', () => ({ outcome: 'ok', content: 'nearly', summary: 'nearly', truncated: true, inconclusive: true }));
    const nothing = echo('echo', 'read', () => ({ outcome: 'empty', content: 'none', summary: 'none', truncated: false }));
    for (const tool of [vague, nothing]) {
      const seen = await eagerness({ aboutWorkspace: about('repository'), tools: [tool], replies: [look(), look(), look(), answer('Not found.')] });
      assert.deepEqual(seen, [true, true, true, undefined]);
    }
  });

  test('names of files do not settle a question about code, but one about files', async () => {
    const names = echo('echo', 'read', () => ({ outcome: 'ok', content: 'a.ts', summary: '1 file', truncated: false, onlyNames: true }));
    const replies = [look(), answer('Here.')];
    assert.deepEqual(await eagerness({ aboutWorkspace: about('code'), tools: [names], replies }), [true, true]);
    assert.deepEqual(await eagerness({ aboutWorkspace: about('repository'), tools: [names], replies }), [true, undefined]);
    assert.deepEqual(await eagerness({ aboutWorkspace: about('code'), replies }), [true, undefined]);
  });

  test('what the user attached comes first', async () => {
    assert.deepEqual(await eagerness({ aboutWorkspace: about('repository'), context: 'File a.ts', replies: [answer('Here.')] }), [undefined]);
  });
});
