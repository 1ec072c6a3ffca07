import { strict as assert } from 'node:assert';
import { Emitter } from '../../../src/base/event.js';
import { folderBadge } from '../../../src/extension/chat/chatFolder.js';
import { FolderChoice, type OpenFolder } from '../../../src/extension/workspace/folderChoice.js';

const [a, b]: readonly [OpenFolder, OpenFolder] = [{ uri: 'file:///folders/a', name: 'a' }, { uri: 'file:///folders/b', name: 'b' }];

suite('choice among several folders', () => {
  let open: OpenFolder[];
  let active: string | undefined;
  let kept: string | undefined;
  const changed = new Emitter<void>();
  const start = (): FolderChoice => new FolderChoice(
    { open: () => open, active: () => active, onDidChange: changed.event },
    { get: () => kept, set: async (folder) => { kept = folder; await Promise.resolve(); } },
  );

  setup(() => {
    open = [a, b];
    active = kept = undefined;
  });

  test('the first, then that of the file looked at last, whatever is in front since', () => {
    const choice = start();
    assert.equal(choice.current, a);
    active = b.uri;
    changed.fire();
    assert.equal(choice.current, b);
    active = undefined; // a diff, a view
    changed.fire();
    assert.equal(choice.current, b);
  });

  test('what the user chose counts before the editor, over a reload, until it is given back', async () => {
    active = b.uri;
    let told = 0;
    const choice = start();
    choice.onDidChange(() => { told += 1; });
    await choice.choose(a.uri);
    assert.equal(choice.current, a);
    assert.equal(told, 1);
    assert.equal(start().current, a);
    await choice.choose(undefined);
    assert.equal(choice.current, b);
  });

  test('a folder that was removed counts no longer', async () => {
    const choice = start();
    await choice.choose(b.uri);
    open = [a];
    assert.equal(choice.chosen, undefined);
    assert.equal(choice.current, a);
    open = [];
    assert.equal(choice.current, undefined);
  });

  test('is shown only where there is something to tell apart', () => {
    const folders = (all: readonly OpenFolder[]): Parameters<typeof folderBadge>[1] => ({ all, current: all[0], find: (uri) => all.find((f) => f.uri === uri) });
    assert.equal(folderBadge(undefined, folders([])), null);
    assert.equal(folderBadge(a.uri, folders([a])), null);
    assert.deepEqual(folderBadge(b.uri, folders([a, b])), { name: 'b', open: true });
    assert.deepEqual(folderBadge('file:///folders/old%20name', folders([a])), { name: 'old name', open: false });
  });
});
