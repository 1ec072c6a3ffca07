import assert from 'node:assert/strict';
import type { ToolDefinition } from '../../../../src/protocol/chat.js';
import { inventsNumbers } from '../../../../src/model/toolCalls/inventedNumbers.js';

suite('numbers that nobody gave', () => {
  const tools: readonly ToolDefinition[] = [{ name: 'f', description: '', parameters: { type: 'object', properties: {}, required: ['x'] } }];
  const check = (said: string, args: Record<string, unknown>, invented: boolean): void => {
    test(`${said} -> ${JSON.stringify(args)}: ${invented ? 'invented' : 'given'}`, () =>
      assert.equal(inventsNumbers({ name: 'f', arguments: args }, tools, [{ role: 'user', content: said }]), invented));
  };
  check('area with base 10', { x: 10 }, false);
  check('area of a triangle', { x: 10 }, true);
  check('a loan of $5,000 at 3%', { x: [5000, 0.03] }, false);
  check('points A(3,4)', { x: [3, 4] }, false);
  check('three days', { x: 3 }, false);
  check('5 km', { x: 5000 }, false);
  check('1e-9 C', { x: 1e-9 }, false);
  check('-4 degrees', { x: -4 }, false);
  check('from rest', { x: 0 }, false);
  check('how warm is it', { x: 'Oslo' }, false);
  check('how warm is it', { y: 7 }, false);
  check('nested', { x: { a: { b: 42 } } }, true);
});
