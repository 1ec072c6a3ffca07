import { silentLogger } from '../../../src/base/logger.js';
import { ClientProcess } from '../../../src/extension/mcp/client/clientProcess.js';

/** What the conformance suite starts: drives the shipped client process, as a window does, against the server whose address is the last argument. */
const [bundle = '', url = ''] = process.argv.slice(-2);
const client = new ClientProcess({ module: bundle, version: '1', env: process.env, logger: silentLogger });
const { signal } = new AbortController();
const connected = await client.connect('s', { kind: 'http', url, headers: {} }, 20_000, signal);
if (!connected.ok) process.stderr.write(`${connected.error.code}: ${connected.error.message}\n`);
const problems: string[] = connected.ok ? [] : [connected.error.code];
for (const { name } of connected.ok ? connected.value.tools : []) {
  const result = await client.call('s', name, name === 'add_numbers' ? { a: 5, b: 3 } : {}, 20_000, signal);
  if (!result.ok) problems.push(`${name}: ${result.error.code}`);
}
await client.disconnect('s');
await client.end();
process.stderr.write(`${problems.join('\n')}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
