import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAggregator } from '../../../../src/sandbox/simulated/aggregated.ts';
import { ask } from '../../../../src/sandbox/simulated/extension-server.ts';
import { createTransport } from '../../../../src/sandbox/simulated/transport.ts';
import { configMap, type Running, startRunning } from './running.ts';
import { bundleOf, certificates, expose, front, host, isAvailable, listen, register, request, simulate } from './testbed.ts';

/** Malformed and malicious requests and answers. */

describe('clients', () => {
  let simulation: Running;
  beforeAll(async () => {
    simulation = await startRunning();
  });
  afterAll(() => simulation.stop());

  test.each(['constructor', '__proto__', 'toString'])('the content type %s is unsupported', async (type) => {
    await simulation.ask('POST /api/v1/namespaces/default/configmaps', { body: configMap('one') });
    const patched = await simulation.ask('PATCH /api/v1/namespaces/default/configmaps/one', {
      body: '{}',
      headers: { 'content-type': type },
    });
    expect(patched.status).toBe(415);
  });

  test('properties that every JavaScript object has are not labels', async () => {
    await simulation.ask('POST /api/v1/namespaces/default/configmaps', { body: configMap('one') });
    for (const selector of ['constructor', 'constructor in (x)', 'toString,valueOf']) {
      const path = `/api/v1/namespaces/default/configmaps?labelSelector=${encodeURIComponent(selector)}`;
      expect((await simulation.ask(`GET ${path}`)).json.items).toEqual([]);
    }
  });

  test('a watch that is longer than the longest timer continues', async () => {
    const watch = await simulation.watch('/api/v1/namespaces/default/configmaps?watch=true&timeoutSeconds=2592000');
    await simulation.ask('POST /api/v1/namespaces/default/configmaps', { body: configMap('late') });
    await expect.poll(() => watch.events.some(({ object }) => object.metadata.name === 'late')).toBe(true);
    watch.close();
  });
});

/** Sends the same bytes to every client. */
async function stubborn(bytes: string) {
  const { ca, leaf } = await certificates();
  const key = leaf.keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const server = tls.createServer({ cert: leaf.info.pem, key }, (socket) => {
    socket.on('error', () => {}).once('data', () => socket.write(bytes));
  });
  return { ca, port: await listen(server) };
}

describe.each([
  ['a status that HTTP does not have', 'HTTP/1.1 000 x\r\ncontent-length: 0\r\n\r\n', 'malformed HTTP status code "000"'],
  ['an unrequested upgrade', 'HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', 'EOF'],
])('an extension API server that answers with %s', (_, bytes, message) => {
  test('is an error for a client of the proxy', async () => {
    const simulation = await simulate();
    const { ca, port } = await stubborn(bytes);
    expose(simulation, port);
    register(simulation, { caBundle: bundleOf(ca) }, isAvailable);
    const answer = await request(await front(createAggregator(simulation)), '/apis/example.com/v1/things');
    expect(answer).toMatchObject({ status: 503, body: expect.stringContaining(message) });
  });

  test('does not block the controller', async () => {
    const { port } = await stubborn(bytes);
    const simulation = await simulate();
    const agent = createTransport({ client: { cert: '', key: '' } }, simulation);
    const question = { path: '/', as: { name: 'x', groups: [] }, limitMs: 5_000 };
    const asked = ask(agent, { host, port }, question).then(async (answer) => `${answer.statusCode} ${await text(answer)}`);
    await expect(asked.catch((error: Error) => error.message)).resolves.toMatch(/^(EOF|0 )$/);
  });
});
