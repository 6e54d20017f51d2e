import { createServer } from 'node:net';

/**
 * Keeps the port of the demo server in use, so that each sandbox runs it on another port. Of two
 * that start at the same time, both would take this one, and one would reach the server of the
 * other.
 */
export default async function setup(): Promise<() => void> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    // Something else has it.
    server.once('error', () => resolve());
    server.listen(8443, resolve);
  });
  return () => void server.close();
}
