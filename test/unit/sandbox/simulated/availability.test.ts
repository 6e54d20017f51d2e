import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { runAvailability } from '../../../../src/sandbox/simulated/availability.ts';
import { apiServiceKind, endpointSliceKind, serviceKind } from '../../../../src/sandbox/simulated/lookup.ts';
import type { Obj } from '../../../../src/sandbox/simulated/types.ts';
import {
  answerOk,
  bundleOf,
  certificates,
  condition,
  expose,
  host,
  httpsServer,
  isAvailable,
  listen,
  name,
  passed,
  probed,
  register,
  simulate,
  versions,
} from './testbed.ts';

afterEach(() => void vi.useRealTimers());

describe.each(versions)('like Kubernetes %s', (kubernetes) => {
  test('a working server passes, and the request is by the aggregator', async () => {
    const simulation = await simulate(kubernetes);
    const { ca, leaf } = await certificates();
    const asked: http.IncomingMessage[] = [];
    const listener: http.RequestListener = (request, response) => {
      asked.push(request);
      answerOk(request, response);
    };
    const server = httpsServer([leaf], listener, { ca: simulation.frontProxyCa, rejectUnauthorized: true });
    expose(simulation, await listen(server));
    register(simulation, { caBundle: bundleOf(ca) });
    runAvailability(simulation);
    expect(await condition(simulation)).toEqual({ type: 'Available', ...passed, lastTransitionTime: '2026-06-15T12:00:00Z' });
    const [{ method, url, headers } = {} as never] = asked;
    expect({ method, url, headers }).toMatchObject({
      method: 'GET',
      url: '/apis/example.com/v1',
      headers: { 'x-remote-user': 'system:kube-aggregator', 'x-remote-group': 'system:masters' },
    });
    const { metadata } = simulation.store.get(apiServiceKind, undefined, name) as Obj;
    expect(metadata.managedFields ?? []).toEqual([]);
    expect(asked).toHaveLength(1);
  });

  test('a Local one is available', async () => {
    const simulation = await simulate(kubernetes);
    register(simulation, { service: undefined });
    runAvailability(simulation);
    expect(await condition(simulation)).toMatchObject({
      status: 'True',
      reason: 'Local',
      message: 'Local APIServices are always available',
    });
  });

  test.each<[string, Obj, Obj | undefined, Obj]>([
    [
      'another port',
      { ports: [{ port: 8443 }] },
      {},
      { reason: 'ServicePortError', message: 'service/api in "default" is not listening on port 443' },
    ],
    [
      'no EndpointSlice',
      {},
      undefined,
      { reason: 'EndpointsNotFound', message: 'cannot find endpointslices for service/api in "default"' },
    ],
    [
      'nothing ready',
      {},
      { endpoints: [{ addresses: [host], conditions: { ready: false } }] },
      { reason: 'MissingEndpoints', message: 'endpointslices for service/api in "default" have no addresses with port name ""' },
    ],
    [
      'no address',
      {},
      { endpoints: null },
      { reason: 'MissingEndpoints', message: 'endpointslices for service/api in "default" have no addresses with port name ""' },
    ],
    [
      'another name of the port',
      { ports: [{ name: 'https', port: 443 }] },
      {},
      { reason: 'MissingEndpoints', message: 'endpointslices for service/api in "default" have no addresses with port name "https"' },
    ],
    ['ExternalName', { type: 'ExternalName' }, {}, { reason: 'FailedDiscoveryCheck', message: 'unsupported service type "ExternalName"' }],
    [
      'a NodePort that is not there',
      { type: 'NodePort', ports: [{ port: 1 }] },
      {},
      { reason: 'FailedDiscoveryCheck', message: 'no service port 443 found for service "api"' },
    ],
    [
      'a NodePort without endpoints',
      { type: 'NodePort' },
      undefined,
      { reason: 'FailedDiscoveryCheck', message: 'no endpoints available for service "api"' },
    ],
  ])('%s', async (_, service, slice, finding) => {
    const simulation = await simulate(kubernetes);
    expose(simulation, 1, service);
    const [before] = simulation.store.list(endpointSliceKind);
    if (slice) simulation.store.update(endpointSliceKind, { ...before, ...slice });
    else simulation.store.delete(endpointSliceKind, 'default', 'api-1');
    register(simulation, {});
    runAvailability(simulation);
    expect(await condition(simulation)).toMatchObject({ status: 'False', ...finding });
  });

  test('the Service comes, and goes', async () => {
    const simulation = await simulate(kubernetes);
    const { ca, leaf } = await certificates();
    register(simulation, { caBundle: bundleOf(ca) });
    runAvailability(simulation);
    expect(await condition(simulation)).toMatchObject({ reason: 'ServiceNotFound', message: 'service/api in "default" is not present' });
    expose(simulation, await listen(httpsServer([leaf], answerOk)));
    expect(await condition(simulation, ({ status }) => status === 'True')).toMatchObject(passed);
    simulation.store.delete(serviceKind, 'default', 'api');
    expect(await condition(simulation, ({ status }) => status === 'False')).toMatchObject({ reason: 'ServiceNotFound' });
  });

  test('the transition time changes only with the status', async () => {
    const simulation = await simulate(kubernetes);
    register(simulation, {}, isAvailable);
    runAvailability(simulation);
    expect(await condition(simulation, ({ status }) => status === 'False')).toMatchObject({ lastTransitionTime: '2026-06-15T12:00:00Z' });
    const before = { conditions: [{ ...isAvailable.conditions[0], status: 'False', reason: 'Other' }] };
    simulation.store.update(apiServiceKind, { ...simulation.store.get(apiServiceKind, undefined, name), status: before });
    expect(await condition(simulation, ({ reason }) => reason === 'ServiceNotFound')).toMatchObject({
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
  });

  test.each([302, 401, 404, 500])('status %d is a failure', async (status) => {
    const simulation = await simulate(kubernetes);
    const { ca, leaf } = await certificates();
    const port = await listen(httpsServer([leaf], (_, response) => void response.writeHead(status, { location: '/' }).end()));
    expose(simulation, port);
    register(simulation, { caBundle: bundleOf(ca) });
    runAvailability(simulation);
    const message = `failing or missing response from ${probed(port)}: bad status from ${probed(port)}: ${status}`;
    expect(await condition(simulation)).toMatchObject({ status: 'False', reason: 'FailedDiscoveryCheck', message });
  });

  const sockets: readonly (readonly [string, () => Promise<net.Server>, string])[] = [
    ['hangs up', async () => net.createServer((socket) => socket.destroy()), 'EOF'],
    [
      'resets',
      async () => net.createServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
      'read tcp LOCAL->REMOTE: read: connection reset by peer',
    ],
    ['speaks HTTP', async () => http.createServer(answerOk), 'http: server gave HTTP response to HTTPS client'],
    ['has no certificate', async () => tls.createServer(), 'remote error: tls: handshake failure'],
    ['hangs up on a request', async () => httpsServer([(await certificates()).leaf], ({ socket }) => void socket.destroy()), 'EOF'],
    [
      'speaks old TLS',
      async () =>
        httpsServer([(await certificates()).leaf], answerOk, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }),
      'remote error: tls: protocol version not supported',
    ],
    [
      'refuses the client certificate',
      // RFC 8446 section 6: a fatal alert, unknown_ca.
      async () => net.createServer((socket) => socket.once('data', () => socket.end(Buffer.of(0x15, 3, 3, 0, 2, 2, 48)))),
      'remote error: tls: unknown certificate authority',
    ],
    [
      'speaks something else',
      async () => tls.createServer({ cert: '', key: '', ...(await smtp()) }, (socket) => socket.end('220 mail.example.com ESMTP\r\n')),
      'net/http: HTTP/1.x transport connection broken: malformed HTTP response "220 mail.example.com ESMTP"',
    ],
  ];
  const smtp = async (): Promise<tls.TlsOptions> => {
    const { leaf } = await certificates();
    return { cert: leaf.info.pem, key: leaf.keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }) };
  };

  test.each(sockets)('a server that %s', async (_, start, detail) => {
    const simulation = await simulate(kubernetes);
    const port = await listen(await start());
    expose(simulation, port);
    register(simulation, { insecureSkipTLSVerify: true });
    runAvailability(simulation);
    const { reason, message } = await condition(simulation);
    expect(reason).toBe('FailedDiscoveryCheck');
    const shown = message.replace(/tcp 127\.0\.0\.1:\d+->/, 'tcp LOCAL->').replace(`->${host}:${port}`, '->REMOTE');
    expect(shown).toBe(`failing or missing response from ${probed(port)}: Get "${probed(port)}": ${detail}`);
  });

  test.each([
    [
      'says nothing',
      async () => net.createServer(),
      'net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
    ],
    [
      'is slow',
      async () => httpsServer([(await certificates()).leaf], () => {}),
      'context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
    ],
  ])('a server that %s', async (_, start, detail) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const simulation = await simulate(kubernetes);
    const server = await start();
    const asked = new Promise((resolve) => {
      server.once('request', resolve);
      if (!(server instanceof tls.Server)) server.once('connection', resolve);
    });
    const port = await listen(server);
    expose(simulation, port);
    register(simulation, { insecureSkipTLSVerify: true });
    runAvailability(simulation);
    await asked;
    vi.advanceTimersByTime(5_000);
    expect((await condition(simulation)).message).toBe(
      `failing or missing response from ${probed(port)}: Get "${probed(port)}": ${detail}`,
    );
  });

  test('a server that starts late', async () => {
    const simulation = await simulate(kubernetes);
    const { ca, leaf } = await certificates();
    const spare = net.createServer();
    const port = await listen(spare);
    await new Promise((resolve) => spare.close(resolve));
    expose(simulation, port);
    register(simulation, { caBundle: bundleOf(ca) });
    runAvailability(simulation);
    const detail = `Get "${probed(port)}": dial tcp ${host}:${port}: connect: connection refused`;
    expect((await condition(simulation)).message).toBe(`failing or missing response from ${probed(port)}: ${detail}`);
    httpsServer([leaf], answerOk).listen(port, host).unref();
    expect(await condition(simulation, ({ status }) => status === 'True')).toMatchObject(passed);
  });
});
