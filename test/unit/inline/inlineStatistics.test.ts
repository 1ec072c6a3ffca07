import assert from 'node:assert/strict';
import { type InlineCounts, InlineStatistics, noCounts } from '../../../src/extension/inline/inlineStatistics.js';

const uri = 'file:///a.ts';

suite('inline: counts of suggestions', () => {
  const check = (name: string, act: (statistics: InlineStatistics) => void, expected: Partial<InlineCounts>): void => {
    test(name, () => {
      let stored = noCounts;
      act(new InlineStatistics(noCounts, (counts) => (stored = counts)));
      assert.deepEqual(stored, { ...noCounts, ...expected });
    });
  };
  check('accepted whole', (s) => s.accepted(s.offered(uri, 'sum(items);')), { offered: 1, accepted: 1, acceptedCharacters: 11 });
  check('accepted once only', (s) => {
    const id = s.offered(uri, 'sum(items);');
    s.accepted(id);
    s.accepted(id);
  }, { offered: 1, accepted: 1, acceptedCharacters: 11 });
  check('an older suggestion is not accepted', (s) => {
    const id = s.offered(uri, 'sum(items);');
    s.offered(uri, 'other();');
    s.accepted(id);
  }, { offered: 2 });
  check('typed through is one offer', (s) => {
    s.offered(uri, 'sum(items);');
    s.inserted(uri, 's');
    s.offered(uri, 'um(items);');
  }, { offered: 1 });
  check('word by word', (s) => {
    s.offered(uri, 'sum(items);');
    s.inserted(uri, 'sum');
    s.offered(uri, '(items);');
    s.inserted(uri, '(items');
  }, { offered: 1, partlyAccepted: 1, acceptedCharacters: 9 });
  check('a word and then the rest', (s) => {
    s.offered(uri, 'sum(items);');
    s.inserted(uri, 'sum');
    s.accepted(s.offered(uri, '(items);'));
  }, { offered: 1, partlyAccepted: 1, accepted: 1, acceptedCharacters: 11 });
  check('a bracket pair by the editor is no acceptance', (s) => {
    s.offered(uri, '()');
    s.inserted(uri, '()');
  }, { offered: 1 });
  check('another file', (s) => {
    s.offered(uri, 'sum(items);');
    s.inserted('file:///b.ts', 'sum');
  }, { offered: 1 });
  check('from the cache', (s) => s.measured({ source: 'cache', shown: true, debounceMs: 0, totalMs: 1 }), { fromCache: 1 });
});
