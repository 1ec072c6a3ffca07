import net from 'node:net';
import readline from 'node:readline';

export type Handler = (request: unknown) => Promise<unknown>;

/**
 * Takes requests of the tests on a socket or named pipe: one JSON object per line, `{ id, request }`, answered by
 * `{ id, result }` or `{ id, error }`. Requests of one connection may overlap.
 */
export async function listen(address: string, handle: Handler): Promise<{ close(): void }> {
  const open = new Set<net.Socket>();
  const server = net.createServer(socket => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    // readline repeats the socket's errors: a host that is killed resets the connection.
    readline.createInterface({ input: socket }).on('line', line => void answer(socket, line)).on('error', () => socket.destroy());
  });
  const answer = async (socket: net.Socket, line: string) => {
    const { id, request } = JSON.parse(line) as { id: number; request: unknown };
    const reply = await handle(request).then(
      result => ({ id, result }),
      (error: unknown) => ({ id, error: error instanceof Error ? error.message : String(error) }),
    );
    if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
  };
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(address, resolve));
  return {
    close: () => {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
