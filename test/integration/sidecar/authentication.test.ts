import { strict as assert } from 'node:assert';
import { connect } from 'node:net';
import { readAddress, type SidecarAddress } from '../../../src/model/sidecar/stateFiles.js';
import { protocolVersion, sidecarRequests } from '../../../src/protocol/sidecar.js';
import { value, Workplace } from '../../support/sidecar/harness.js';

/** Real process: what somebody gets who talks to the socket without the token (attack 18). */
suite('Sidecar authentication', () => {
  let place: Workplace;
  let address: SidecarAddress;
  suiteSetup(async () => {
    place = await Workplace.make();
    value(await place.client().start());
    address = await readAddress(place.files().address) ?? assert.fail('no address');
  });
  suiteTeardown(() => place.end());

  const frame = (message: unknown): string => {
    const body = JSON.stringify(message);
    return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  };
  const call = (id: number, method: string, params: unknown): string => frame({ jsonrpc: '2.0', id, method, params });
  const hello = (token: string): string => call(1, sidecarRequests.hello.method, { token, protocol: protocolVersion, client: 'x', build: 'test' });

  /** Everything the other side says before it hangs up, or `still open`. */
  function talk(text: string, waitMs = 3000): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(address.socket, () => socket.write(text));
      let heard = '';
      const timer = setTimeout(() => { heard += 'still open'; socket.destroy(); }, waitMs);
      socket.on('data', (chunk: Buffer) => { heard += chunk.toString(); });
      socket.on('error', () => undefined); // a reset is a way of hanging up
      socket.on('close', () => {
        clearTimeout(timer);
        resolve(heard);
      });
    });
  }

  test('a wrong token gets nothing', async () => {
    for (const token of ['', 'a'.repeat(64), address.token.slice(1), `${address.token}0`]) assert.equal(await talk(hello(token)), '', token.slice(0, 4));
  });

  test('nothing comes before hello', async () => {
    assert.equal(await talk(call(2, sidecarRequests.status.method, {}) + hello(address.token)), '');
    assert.equal(await talk(call(1, 'loupe/nonsense', {})), '');
    assert.equal(await talk(frame({ jsonrpc: '2.0', method: 'loupe/shutdown', params: {} })), '');
  });

  test('neither HTTP nor noise gets an answer', async () => {
    assert.equal(await talk('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 8000), '');
    assert.equal(await talk('\u0000'.repeat(100_000), 8000), '');
    assert.equal(await talk('Content-Length: 99999999999\r\n\r\n' + 'x'.repeat(100_000), 8000), '');
  });

  test('a malformed hello gets nothing', async () => {
    assert.equal(await talk(call(1, sidecarRequests.hello.method, { token: address.token })), '');
    assert.equal(await talk(call(1, sidecarRequests.hello.method, null)), '');
  });

  test('who says nothing is not kept', async () => assert.equal(await talk('', 8000), ''));

  test('the right token is let in, and told when a request is malformed', async () => {
    const heard = await talk(hello(address.token) + call(2, sidecarRequests.tokenize.method, { role: 'chat', segments: 'x' }), 1500);
    assert.match(heard, /"ok":true/);
    assert.match(heard, /sidecar\.protocol/);
  });

  test('and the sidecar still serves', async () => value(await place.client().status()));
});
