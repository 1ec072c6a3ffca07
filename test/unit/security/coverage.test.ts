import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const table = readFileSync(resolve('docs/security.md'), 'utf8');
const [attacks = '', faults = ''] = table.split('\n## Faults\n');

interface Row { readonly number: number; readonly held: string }
const rows = (text: string): readonly Row[] => [...text.matchAll(/^\| (\d+) \|[^|]*\|(.*)\|$/gm)].map(([, number, held = '']) => ({ number: Number(number), held }));

suite('the table of attacks and faults', () => {
  test('has a row for each', () => {
    assert.deepEqual(rows(attacks).map(({ number }) => number), Array.from({ length: 27 }, (_, i) => i + 1));
    assert.deepEqual(rows(faults).map(({ number }) => number), Array.from({ length: 23 }, (_, i) => i + 1));
  });

  test('names tests that exist, and says where there is none', () => {
    const wrong: string[] = [];
    for (const { number, held } of [...rows(attacks), ...rows(faults)]) {
      const named = [...held.matchAll(/`(test\/[^`]+)`((?:,? "[^"]+")+)/g)];
      if (named.length === 0 && !held.includes('Open: ')) wrong.push(`${number}: names no test`);
      for (const [, file = '', names = ''] of named) {
        const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
        for (const [, name = ''] of names.matchAll(/"([^"]+)"/g)) if (!new RegExp(`test\\(['"\`]${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`).test(text)) wrong.push(`${number}: ${file} ${name}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  test('tests that carry a number of the table are in it', () => {
    const numbered = [
      'test/integration/security/sandbox.test.ts', 'test/unit/security/hostileModel.test.ts', 'test/unit/agent/undo/checkpoints.test.ts', 'test/unit/agent/undo/fileBatch.test.ts',
      'test/integration/mcp/transports.test.ts', 'test/unit/mcp/folder.test.ts', 'test/unit/mcp/git.test.ts', 'test/integration/security/mcpServers.test.ts',
      ...['servers', 'pieces', 'configuration'].map((name) => `test/unit/mcp/client/${name}.test.ts`), 'test/unit/agent/mcpTools.test.ts',
    ];
    for (const file of numbered) {
      for (const [, kind = '', numbers = ''] of readFileSync(file, 'utf8').matchAll(/test\('(attack|fault)s? ([\d, ]+):/g)) {
        for (const number of numbers.split(', ').map(Number)) {
          const row = rows(kind === 'attack' ? attacks : faults).find((one) => one.number === number);
          assert.ok(row?.held.includes(file), `${file} is not in the row of ${kind} ${number}`);
        }
      }
    }
  });
});
