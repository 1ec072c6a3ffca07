import assert from 'node:assert/strict';
import { makeError } from '../../../src/base/errors.js';
import { noCounts } from '../../../src/extension/inline/inlineStatistics.js';
import { inlineStatusText } from '../../../src/extension/inline/inlineStatusText.js';
import type { InlineStatus } from '../../../src/protocol/inline.js';

suite('inline: status in words', () => {
  const check = (status: InlineStatus, text: string, command: string | undefined, warning = false): void => {
    test(status.state === 'unavailable' ? status.error.code : status.state, () => {
      const shown = inlineStatusText(status, noCounts);
      assert.deepEqual([shown.text, shown.action?.command, shown.warning], [text, command, warning]);
    });
  };
  check({ state: 'off' }, 'Inline suggestions are off', 'loupe.toggleInline');
  check({ state: 'untrusted' }, 'Inline suggestions wait for trust', undefined);
  check({ state: 'starting' }, 'Inline suggestions are starting', 'loupe.toggleInline');
  check({ state: 'checking', fraction: 0.4 }, 'Inline suggestions: checking the model file, 40 %', 'loupe.toggleInline');
  check({ state: 'loading', fraction: 0.426 }, 'Inline suggestions: loading, 42 %', 'loupe.toggleInline');
  check({ state: 'ready', model: 'Qwen2.5 Coder 0.5B' }, 'Inline suggestions: Qwen2.5 Coder 0.5B', 'loupe.toggleInline');
  check({ state: 'unavailable', error: makeError('model.noFillInMiddle', 'It cannot.', 'Choose another.') }, 'No inline suggestions', 'loupe.chooseModel', true);
  check({ state: 'unavailable', error: makeError('sidecar.crashLoop', 'It crashed.', 'Restart it.') }, 'No inline suggestions', 'loupe.restartSidecar', true);

  test('what is wrong comes with what to do', () => {
    const error = makeError('model.none', 'No model is installed.', 'Choose one.');
    assert.equal(inlineStatusText({ state: 'unavailable', error }, noCounts).detail, 'No model is installed. Choose one.');
  });

  test('counts are shown once there are some', () => {
    const counts = { ...noCounts, offered: 9, accepted: 2, partlyAccepted: 1 };
    assert.match(inlineStatusText({ state: 'ready', model: 'm' }, counts).detail, /^3 of 9 accepted/u);
  });
});
