import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { catalogueEntry } from '../../../src/model/catalogue.js';
import { modelsDirectory } from '../../../src/model/paths.js';
import type { TraceTurn } from '../../../src/protocol/trace.js';

const main = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));
const fixture = resolve('test/fixtures/parcels');
const model = 'qwen2.5-coder-1.5b';
const question = 'Which file defines webhookDelivery, and what is its maxAttempts?';

interface Ended { readonly code: number | null; readonly out: string; readonly notes: string }

function ask(args: readonly string[], onOutput: (text: string, stop: () => void) => void = () => undefined): Promise<Ended> {
  return new Promise((resolveEnd, reject) => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let notes = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      onOutput(out, () => child.kill('SIGINT'));
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (notes += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolveEnd({ code, out, notes }));
  });
}

async function contents(folder: string): Promise<Record<string, string>> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  return Object.fromEntries(await Promise.all(entries.map(async ({ parentPath, name }): Promise<[string, string]> => [join(parentPath, name), await readFile(join(parentPath, name), 'utf8')])));
}

suite('command line with the real 1.5B model', function () {
  this.timeout(900_000);

  suiteSetup(function () {
    const file = catalogueEntry(model)?.file;
    if (file === undefined || !existsSync(join(modelsDirectory(), file))) this.skip(); // `npm run setup` fetches it
  });

  test('answers a question that needs two looks, with the right file named, and changes nothing', async () => {
    const before = await contents(fixture);
    const { code, out, notes } = await ask([question, '--folder', fixture, '--model', model, '--json']);
    assert.equal(notes, '');
    const report = JSON.parse(out) as { answer: string; gate: string; reason: string; trace: TraceTurn };
    assert.deepEqual([code, report.gate], [0, 'answered'], report.reason);
    assert.match(report.answer, /webhookDelivery\.ts[^]*\b7\b/);
    const tools = report.trace.hops.flatMap((hop) => hop.tools);
    assert.ok(tools.filter(({ outcome }) => outcome === 'ok').length >= 2, tools.map(({ name }) => name).join(', '));
    for (const { stats } of report.trace.hops.slice(1)) assert.ok((stats?.tokensCached ?? 0) > 0.5 * (stats?.tokensIn ?? 1), 'later hops find their prefix cached');
    assert.deepEqual(await contents(fixture), before);
  });

  test('Ctrl-C keeps what was said and says so', async () => {
    const { code, out } = await ask(['Count from 1 to 500 in words, one per line. Use no tools.', '--folder', fixture, '--model', model, '--steps', '1'], (text, stop) => {
      if (text.length > 20) stop();
    });
    assert.equal(code, 130);
    assert.match(out, /gate: cancelled\. Stopped by the user in step 1\./);
    assert.match(out, /^hop +outcome +queue +restore +prefill +decode +tool +in +cached +out$/m);
  });
});

suite('command line without a model', function () {
  this.timeout(120_000);

  test('an endpoint that is not there, and a file that is no model, each have a next step', async () => {
    const endpoint = await ask([question, '--folder', fixture, '--endpoint', 'http://127.0.0.1:9/v1']);
    assert.equal(endpoint.code, 1);
    assert.match(endpoint.notes, /127\.0\.0\.1:9/);
    assert.equal(endpoint.notes.trim().split('\n').length, 3, endpoint.notes);
    const file = await ask([question, '--folder', fixture, '--model', join(fixture, 'README.md')]);
    assert.equal(file.code, 1);
    assert.match(file.notes, /README\.md/);
  });

  test('wrong arguments show the help', async () => {
    const { code, notes, out } = await ask([]);
    assert.deepEqual([code, out], [2, '']);
    assert.match(notes, /There is no question\.[^]*--folder PATH/);
  });
});
