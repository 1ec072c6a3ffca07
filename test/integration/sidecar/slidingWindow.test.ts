import { strict as assert } from 'node:assert';
import type { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import type { ProbeResult, PromptSegment } from '../../../src/protocol/sidecar.js';
import { generate, loadParams, plain, request, value, Workplace } from '../../support/sidecar/harness.js';

const items = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => ` Item ${from + i} is ${['red', 'green', 'blue'][(from + i) % 3]}.`).join('');

/** Real model: Gemma 3 270M, whose window layers forget all but the last 512 tokens. */
suite('Prefix reuse with the sliding window of Gemma 3 270M', () => {
  let place: Workplace;
  let client: SidecarSupervisor;
  suiteSetup(async () => {
    place = await Workplace.make();
    client = place.client();
    value(await client.load(loadParams('gemma', { contextSize: 4096 })));
  });
  suiteTeardown(() => place.end());

  let probes = 0;
  /** The chances of three colours after the prompt. */
  const colours = async (conversation: string, prompt: PromptSegment[]): Promise<ProbeResult> =>
    value(await client.probe({ id: `p${++probes}`, role: 'chat', conversation, prompt, candidates: [' red', ' green', ' blue'] }, new AbortController().signal));
  const differ = (a: ProbeResult, b: ProbeResult): number => Math.max(...a.probabilities.map((p, i) => Math.abs(p - (b.probabilities[i] ?? 0))));
  const show = (result: ProbeResult): string => result.probabilities.map((p) => p.toFixed(3)).join(' ');
  const question = plain(' Item 141 is');

  test('puts the begin-of-text token in front, which this model needs', async () => {
    const { tokens } = value(await client.tokenize('chat', plain('Hello')));
    const { stats } = value((await generate(client, request(plain('Hello'), { conversation: 'bos', maxTokens: 1 }))).result);
    assert.equal(stats.tokensIn, tokens.length + 1);
  });

  test('after a detour that pushed it out of the window, a prefix comes back from its checkpoint', async () => {
    const stable = plain(items(100, 140));
    const cold = await colours('cold', [...stable, ...question]);
    await colours('stable', stable);
    await colours('stable', [...stable, ...plain(items(300, 480))]);
    const back = await colours('stable', [...stable, ...question]);
    assert.ok(back.stats.tokensCached >= back.stats.tokensIn * 0.95, `${back.stats.tokensCached} of ${back.stats.tokensIn} reused`);
    // Rounding alone moves these by up to 0.1 between two cold starts; half a window moves them by more than 0.5.
    assert.ok(differ(cold, back) < 0.25, `cold ${show(cold)}, back ${show(back)}`);
  });

  test('the audit knows the two kinds of layers', async () => {
    const audit = value(await client.audit('chat'));
    assert.deepEqual(audit.layers, { total: 18, global: 3, slidingWindow: 15, window: 512 });
    const present = audit.presets.find(({ preset }) => preset === 'exact');
    assert.ok(Math.abs((present?.bytesTotal ?? 0) - audit.bytesTotal) < audit.bytesTotal * 0.01, `${present?.bytesTotal} computed, ${audit.bytesTotal} allocated`);
  });
});
