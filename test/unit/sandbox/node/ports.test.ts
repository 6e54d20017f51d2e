import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { returnPort, takePort } from '../../../../src/sandbox/node/ports.ts';

test('a port that is reserved or in use is replaced by another one', async () => {
  const first = await takePort(0);
  const second = await takePort(first);
  expect(second).not.toBe(first);
  returnPort(first);
  expect(await takePort(first)).toBe(first);

  const server = createServer();
  const used = await new Promise<number>((resolve) => server.listen(0, () => resolve((server.address() as { port: number }).port)));
  expect(await takePort(used)).not.toBe(used);
  server.close();
});
