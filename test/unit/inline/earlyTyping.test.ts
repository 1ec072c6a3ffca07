import assert from 'node:assert/strict';
import { EarlyTyping } from '../../../src/extension/inline/earlyTyping.js';

suite('typing before suggestions are there', () => {
  let ms: number;
  let early: EarlyTyping;
  setup(() => {
    ms = 0;
    early = new EarlyTyping({ now: () => ms, monotonic: () => ms });
  });

  test('is asked for once they are, in the document where it was', () => {
    early.becomes('checking', 'a');
    early.changed('a');
    early.becomes('loading', 'a');
    assert.equal(early.becomes('ready', 'a'), true);
    assert.equal(early.becomes('ready', 'a'), false, 'once');
  });

  test('is forgotten in another document, and after a minute', () => {
    early.changed('a');
    assert.equal(early.becomes('ready', 'b'), false);
    early.becomes('starting', 'a');
    early.changed('a');
    ms = 60_001;
    assert.equal(early.becomes('ready', 'a'), false);
  });

  test('with suggestions there the editor asks by itself; a restart is a new gap', () => {
    early.becomes('ready', 'a');
    early.changed('a');
    early.becomes('starting', 'a');
    assert.equal(early.becomes('ready', 'a'), false);
    early.becomes('loading', 'a');
    early.changed('a');
    assert.equal(early.becomes('ready', 'a'), true);
  });
});
