import { fileURLToPath } from 'node:url';
import { configuration, Editor } from '../support/languageServer/editor.js';
import { completionModel, RealSidecar } from '../support/languageServer/realSidecar.js';

/**
 * What a suggestion costs beside the engine's own work: editor -> LSP over stdio -> language server -> socket -> sidecar and back. Both
 * times come from the same requests, so that a busy machine slows both. The debounce is left out: requests are explicit.
 */
const rounds = 12;
const mostOverheadMs = 15;

const head = Array.from({ length: 80 }, (_, i) => `export function scale${i}(value: number): number {\n  return value * ${i};\n}\n`).join('\n');
const uri = 'file:///repo/src/scales.ts';

const sidecar = await RealSidecar.start();
const server = fileURLToPath(new URL('../../../dist/languageServer/main.cjs', import.meta.url));
const editor = await Editor.spawn(server, { sidecar: sidecar.address, configuration: { ...configuration, model: completionModel } });
try {
  await editor.show(uri, 'typescript', head);
  await editor.status('ready');
  await editor.type(`${head}\nexport function first(value: number): number {\n  return |\n}\n`, { uri, invoked: true });

  const wall: number[] = [];
  const engine: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const startedAt = performance.now();
    await editor.type(`${head}\nexport function half${i}(value: number): number {\n  return |\n}\n`, { uri, invoked: true });
    const elapsed = performance.now() - startedAt;
    const stats = editor.measurements.at(-1)?.stats;
    if (stats === undefined) throw new Error('a suggestion came without the engine');
    wall.push(elapsed);
    engine.push(stats.queueMs + stats.restoreMs + stats.prefillMs + stats.decodeMs);
  }
  const cachedAt = performance.now();
  await editor.type(`${head}\nexport function half${rounds - 1}(value: number): number {\n  return |\n}\n`, { uri });
  const cached = performance.now() - cachedAt;

  const overhead = median(wall.map((ms, i) => ms - (engine[i] ?? 0)));
  report('suggestion, end to end', median(wall));
  report('the engine’s part of it', median(engine));
  report('overhead', overhead, mostOverheadMs);
  report('suggestion from the cache', cached, mostOverheadMs);
} finally {
  editor.dispose();
  await sidecar.stop();
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function report(name: string, ms: number, limit?: number): void {
  const value = Math.round(ms * 10) / 10;
  console.log(JSON.stringify({ name, value, unit: 'ms', ...(limit === undefined ? {} : { limit, pass: value <= limit }) }));
}
