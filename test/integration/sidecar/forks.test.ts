import { strict as assert } from 'node:assert';
import type { SidecarSupervisor } from '../../../src/model/sidecar/supervisor.js';
import type { GenerationStats } from '../../../src/protocol/chat.js';
import type { PromptSegment } from '../../../src/protocol/sidecar.js';
import { generate, loadParams, plain, request, value, Workplace } from '../../support/sidecar/harness.js';

const never = new AbortController().signal;
const block = (name: string): PromptSegment => ({
  text: `${Array.from({ length: 8 }, (_, i) => `export const ${name}${i} = (value: number): number => value * ${i * 7 + 3} + ${i};\n`).join('')}\n`, control: false, border: true,
});
const prefix = [block('january'), block('february')];
const talk = plain('// Which of these functions gives the most for 1:\n');
const diff = (n: number): PromptSegment[] => plain(`Write a commit message for:\n-const port = 80${n};\n+const port = 90${n};\n`);

/** Real model: Qwen2.5-Coder 0.5B Instruct. `megabytes`: what models may take. */
for (const { sequences, megabytes } of [{ sequences: 2, megabytes: undefined }, { sequences: 1, megabytes: 1800 }]) {
  suite(`A side request beside a conversation, ${sequences === 2 ? 'two sequences' : 'one sequence'}`, () => {
    let place: Workplace;
    let client: SidecarSupervisor;
    let prefixTokens: number;
    suiteSetup(async () => {
      place = await Workplace.make();
      client = place.client(megabytes === undefined ? {} : { memoryLimit: megabytes * 1000 ** 2 });
      value(await client.load(loadParams('qwen', { contextSize: 16_384, kvPreset: 'exact' })));
      assert.equal(value(await client.audit('chat')).sequences, sequences);
      prefixTokens = value(await client.prefixes.remember({ id: 'm', role: 'chat', memory: 'repo', prompt: prefix }, {}, never)).stats.tokens;
    });
    suiteTeardown(() => place.end());

    const ask = async (conversation: string, prompt: PromptSegment[]): Promise<GenerationStats> =>
      value((await generate(client, request(prompt, { conversation, maxTokens: 4 }))).result).stats;

    test('commit messages and another conversation leave the prefix of the first one in memory, or bring it back from disk', async () => {
      await ask('first', [...prefix, ...talk]);
      for (const n of [1, 2]) {
        await ask('commit-message', diff(n)); // the second in a row would have the oldest sequence, if it were another conversation
        const { tokensCached } = await ask('commit-message', diff(n + 2));
        const back = await ask('first', [...prefix, ...talk, ...plain('// And the least:\n'.repeat(n))]);
        const read = back.tokensIn - back.tokensCached;
        console.log(`      after commit messages ${n} and ${n + 2} (${tokensCached} tokens cached): ${back.tokensCached} of ${back.tokensIn} cached, ${back.tokensRestored ?? 0} of them from disk in ${back.restoreMs.toFixed(0)} ms, ${read} read`);
        if (sequences === 1) assert.equal(back.tokensRestored, prefixTokens);
        else assert.deepEqual([back.tokensRestored, read <= 32], [undefined, true], JSON.stringify(back));
      }
      const fork = await ask('second', [...prefix, ...plain('// The names of these months:\n')]);
      assert.ok(fork.tokensCached >= prefixTokens && fork.tokensIn - fork.tokensCached <= 32, JSON.stringify(fork));
      const back = await ask('first', [...prefix, ...talk, ...plain('// And their sum:\n')]);
      console.log(`      after another conversation: ${back.tokensCached} of ${back.tokensIn} cached, ${back.tokensRestored ?? 0} of them from disk in ${back.restoreMs.toFixed(0)} ms`);
      assert.ok(back.tokensCached >= prefixTokens && back.tokensIn - back.tokensCached <= 64, JSON.stringify(back));
      if (sequences === 2) assert.equal(back.tokensRestored, undefined);
    });
  });
}
