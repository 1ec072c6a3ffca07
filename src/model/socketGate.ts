import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { createMessageConnection, type MessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';

const helloWithinMs = 5_000;
/** Far more than a hello needs, far less than what could hurt. */
const bytesBeforeHello = 64 * 1024;

/** JSON-RPC over a local socket. */
export function rpcOver(socket: Socket): MessageConnection {
  const reader = new StreamMessageReader(socket);
  reader.partialMessageTimeout = 0; // its timer would outlive a connection that ends within a message
  return createMessageConnection(reader, new StreamMessageWriter(socket));
}

/** Ends a connection that takes too long or sends too much before it has said who it is, which the caller tells with `opened`. */
export function untilHello(socket: Socket): { readonly opened: () => void } {
  const deadline = setTimeout(() => socket.destroy(), helloWithinMs);
  let early = 0;
  const countEarly = (chunk: Buffer): void => {
    early += chunk.length;
    if (early > bytesBeforeHello) socket.destroy();
  };
  socket.on('data', countEarly);
  const opened = (): void => {
    clearTimeout(deadline);
    socket.off('data', countEarly);
  };
  socket.once('close', opened);
  return { opened };
}

/** Compared by hashes, so that neither time nor length tells anything of the expected one. */
export function sameToken(given: string, expected: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(given), hash(expected));
}
