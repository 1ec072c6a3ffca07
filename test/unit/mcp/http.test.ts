import assert from 'node:assert/strict';
import { parseArguments } from '../../../src/mcp/args.js';
import { refusal } from '../../../src/mcp/http/guard.js';
import { offsetOf, pageOf } from '../../../src/mcp/pages.js';
import { present } from '../../../src/mcp/present.js';

const token = 'a'.repeat(64);
const good = { host: '127.0.0.1:7000', authorization: `Bearer ${token}` };
const status = (headers: Record<string, string | undefined>, url = '/mcp'): number | undefined => refusal({ url, headers: { ...good, ...headers } }, 7000, token)?.status;

suite('MCP: what HTTP requests are served (attack 18)', () => {
  test('the right host, origin and token are let in', () => {
    for (const headers of [{}, { host: 'localhost:7000' }, { host: 'LOCALHOST:7000' }, { origin: 'http://127.0.0.1:7000' }, { origin: 'http://localhost:7000' }, { authorization: `bearer ${token}` }]) {
      assert.equal(status(headers), undefined, JSON.stringify(headers));
    }
    assert.equal(status({}, '/mcp?x=1'), undefined);
  });

  test('another host is forbidden: a name that resolves to this machine, another port, none', () => {
    for (const host of ['evil.example', 'evil.example:7000', '127.0.0.1', '127.0.0.1:7001', 'localhost.evil.example:7000', '127.0.0.1:7000.evil.example', '0.0.0.0:7000', '[::1]:7000', '', undefined]) {
      assert.equal(status({ host }), 403, String(host));
    }
  });

  test('another origin is forbidden, whatever the token', () => {
    for (const origin of ['http://evil.example', 'https://127.0.0.1:7000', 'http://127.0.0.1', 'http://localhost:7001', 'null', '', 'http://127.0.0.1:7000.evil.example', 'vscode-webview://x']) {
      assert.equal(status({ origin }), 403, origin);
    }
  });

  test('no token, and a wrong one, are unauthorized', () => {
    for (const authorization of [undefined, '', 'Bearer', 'Bearer ', `Bearer ${token}a`, `Bearer ${token.slice(1)}`, token, `Basic ${token}`, `Bearer ${token} ${token}`]) {
      assert.equal(status({ authorization }), 401, String(authorization));
    }
    assert.equal(status({}, '/'), 404);
    assert.equal(status({ authorization: undefined }, '/'), 401, 'what is where is told to nobody without a token');
  });
});

suite('MCP: pages, results, arguments', () => {
  test('pages cover a list, and the last one has no cursor', () => {
    const items = Array.from({ length: 25 }, (_, i) => i);
    const seen: number[] = [];
    let cursor: string | undefined;
    do {
      const offset = offsetOf(cursor, 'q');
      const page = pageOf(items, offset, 10, 'q');
      seen.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    assert.deepEqual(seen, items);
    assert.deepEqual(pageOf(items.slice(0, 10), 0, 10, 'q'), { items: items.slice(0, 10) });
    assert.throws(() => offsetOf(pageOf(items, 0, 10, 'q').nextCursor, 'r'), { name: 'LoupeFailure' });
  });

  test('a result is cut and says so; data that is too large is a defect of the tool', () => {
    const { text } = present('x'.repeat(70_000), {});
    assert.match(text, /\n\[cut to 65536 characters\]$/);
    assert.throws(() => present('', { a: 'x'.repeat(300_000) }));
  });

  test('arguments', () => {
    const serve = { folder: undefined, window: undefined, http: false, port: 0 };
    assert.deepEqual(parseArguments([]), { kind: 'serve', options: serve });
    assert.deepEqual(parseArguments(['--folder', 'x', '--http', '--port', '80']), { kind: 'serve', options: { ...serve, folder: 'x', http: true, port: 80 } });
    assert.deepEqual(parseArguments(['-h']), { kind: 'help' });
    for (const wrong of [['--folder', 'a', '--window', 'b'], ['--port', '80'], ['--http', '--port', '70000'], ['--http', '--port', 'x'], ['extra'], ['--nonsense']]) {
      assert.equal(parseArguments(wrong).kind, 'usage', wrong.join(' '));
    }
  });
});
