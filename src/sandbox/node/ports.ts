import { createServer } from 'node:net';

/** Those that were given out: whoever has one may not listen there yet. */
const given = new Set<number>();

/**
 * A port of this machine for a container, until it is given back: the wanted one when it is free on every address and nobody else got it, otherwise one that the system picks.
 */
export async function takePort(wanted: number): Promise<number> {
  if (!given.has(wanted) && (await listens(wanted)) === wanted) return take(wanted);
  for (;;) {
    const port = await listens(0);
    if (port !== undefined && !given.has(port)) return take(port);
  }
}

export const returnPort = (port: number): boolean => given.delete(port);

function take(port: number): number {
  given.add(port);
  return port;
}

/** @returns the port that one could listen on just now; undefined when it is taken, or not for this user */
const listens = (port: number): Promise<number | undefined> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, () => {
      const { port: got } = server.address() as { port: number };
      server.close(() => resolve(got));
    });
  });
