import assert from 'node:assert/strict';
import { emptyStats } from '../../../src/protocol/chat.js';
import { BudgetPlanner, type PromptBudget } from '../../../src/languageServer/inline/budget.js';

suite('inline: prompt budget', () => {
  const check = (name: string, tokensPerSecond: number, contextSize: number, expected: PromptBudget): void => {
    test(name, () => {
      const planner = new BudgetPlanner();
      for (let i = 0; i < 50; i++) planner.measured({ ...emptyStats, tokensIn: 1000 + tokensPerSecond, tokensCached: 1000, prefillMs: 1000 });
      assert.deepEqual(planner.plan(contextSize, 96), expected);
    });
  };
  check('a slow machine reads little', 100, 8192, { prefix: 256, suffix: 32, context: 128 });
  check('a fast machine reads much', 5000, 8192, { prefix: 2048, suffix: 512, context: 1024 });
  check('a small context limits it', 5000, 1024, { prefix: 492, suffix: 134, context: 268 });

  test('everything together fits the context the runtime has', () => {
    for (const contextSize of [256, 512, 1024, 2048, 4096]) {
      const planner = new BudgetPlanner();
      const { prefix, suffix, context } = planner.plan(contextSize, 96);
      assert.ok(prefix + suffix + context + 96 <= contextSize, `${contextSize}`);
    }
  });

  test('the sizes stay when the speed only trembles', () => {
    const planner = new BudgetPlanner();
    const measured = (tokensPerSecond: number): void => planner.measured({ ...emptyStats, tokensIn: tokensPerSecond, tokensCached: 0, prefillMs: 1000 });
    for (let i = 0; i < 50; i++) measured(520);
    const before = planner.plan(8192, 96);
    for (let i = 0; i < 50; i++) measured(i % 2 === 0 ? 470 : 560);
    assert.deepEqual(planner.plan(8192, 96), before);
    for (let i = 0; i < 50; i++) measured(470);
    assert.deepEqual(planner.plan(8192, 96), before);
    for (let i = 0; i < 50; i++) measured(2000);
    assert.notDeepEqual(planner.plan(8192, 96), before);
  });

  test('a handful of tokens is no measurement', () => {
    const planner = new BudgetPlanner();
    const before = planner.plan(8192, 96);
    for (let i = 0; i < 50; i++) planner.measured({ ...emptyStats, tokensIn: 1010, tokensCached: 1000, prefillMs: 5000 });
    assert.deepEqual(planner.plan(8192, 96), before);
  });
});
