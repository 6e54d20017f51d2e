import { createServer } from 'node:net';

/** Ports that containers have, also before they listen. */
const reserved = new Set<number>();

/**
 * Reserves a port of this host for a container: the wanted one if it is free on every address,
 * otherwise one that the operating system picks.
 */
export async function takePort(wanted: number): Promise<number> {
  if (!reserved.has(wanted) && (await freePort(wanted)) === wanted) return take(wanted);
  for (;;) {
    const port = await freePort(0);
    if (port !== undefined && !reserved.has(port)) return take(port);
  }
}

export const returnPort = (port: number): boolean => reserved.delete(port);

function take(port: number): number {
  reserved.add(port);
  return port;
}

/** @param port 0 for any. @returns undefined when it is in use, or not allowed for this user */
const freePort = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, () => {
      const { port: got } = server.address() as { port: number };
      server.close(() => resolve(got));
    });
  });
