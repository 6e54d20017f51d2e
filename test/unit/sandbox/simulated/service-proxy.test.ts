import type http from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { endpointSliceKind, podKind } from '../../../../src/sandbox/simulated/lookup.ts';
import { answerSubresource, upgradeSubresource } from '../../../../src/sandbox/simulated/service-proxy.ts';
import type { Obj, Simulation } from '../../../../src/sandbox/simulated/types.ts';
import { certificates, expose, front, type Handlers, host, httpsServer, listen, request, simulate, upgrade } from './testbed.ts';

const handlersOf = (simulation: Simulation): Handlers => ({
  answer: async (call) => {
    if (!(await answerSubresource(simulation, call))) call.response.writeHead(418).end();
  },
  upgrade: (call) => {
    if (!upgradeSubresource(simulation, call)) call.socket.end('HTTP/1.1 418 No\r\n\r\n');
  },
});

const pod = (spec: Obj = {}, status: Obj = { podIPs: [{ ip: host }] }): Obj => ({
  metadata: { name: 'api-0', namespace: 'default' },
  spec: { nodeName: 'node', containers: [{ name: 'api' }], ...spec },
  status,
});

const failure = (code: number, reason: string, message: string) => ({
  status: code,
  body: expect.stringContaining(`"message":${JSON.stringify(message)},"reason":"${reason}"`),
});

describe('through a proxy', () => {
  const echo: http.RequestListener = async (received, response) => {
    const { method, url, headers } = received;
    response.writeHead(200, { location: '/elsewhere' }).end(JSON.stringify({ method, url, headers, body: await text(received) }));
  };

  /** A server in a pod, behind a Service. */
  async function inPod() {
    const simulation = await simulate('1.37');
    const { leaf } = await certificates();
    const port = await listen(httpsServer([leaf], echo));
    expose(simulation, port, { selector: { app: 'api' } });
    simulation.store.create(podKind, pod({ containers: [{ name: 'api', ports: [{ containerPort: port }] }] }));
    const [slice] = simulation.store.list(endpointSliceKind);
    const endpoints = [{ addresses: [host], conditions: {}, targetRef: { kind: 'Pod', namespace: 'default', name: 'api-0' } }];
    simulation.store.update(endpointSliceKind, { ...slice, endpoints });
    return { simulation, port, at: await front(handlersOf(simulation)) };
  }
  const path = (kind: string, name: string): string => `/api/v1/namespaces/default/${kind}/${name}/proxy`;

  test('to a Service, saying nothing of who asks', async () => {
    const { at } = await inPod();
    const headers = { authorization: 'Bearer secret', 'x-remote-user': 'evil', 'impersonate-user': 'evil', accept: 'text/x' };
    const answer = await request(at, `${path('services', 'https%3Aapi%3A443')}/readyz?a=1%20b`, {
      method: 'POST',
      headers,
      body: 'a body',
    });
    expect(answer).toMatchObject({ status: 200, headers: { location: '/elsewhere' } });
    const { method, url, body, headers: got } = JSON.parse(answer.body);
    expect({ method, url, body }).toEqual({ method: 'POST', url: '/readyz?a=1%20b', body: 'a body' });
    expect(Object.keys(got).sort()).toEqual(['accept', 'connection', 'content-length', 'host', 'x-forwarded-for', 'x-forwarded-uri']);
  });

  test('to a pod, by its first port or another', async () => {
    const { at, port } = await inPod();
    for (const name of ['https:api-0:', `https:api-0:${port}`]) expect((await request(at, `${path('pods', name)}/x`)).status).toBe(200);
    expect(await request(at, `${path('pods', 'api-0:1')}/x`)).toMatchObject(
      failure(503, 'ServiceUnavailable', `error trying to reach service: dial tcp ${host}:1: connect: connection refused`),
    );
    expect(await request(at, `${path('pods', 'none')}/x`)).toMatchObject(failure(404, 'NotFound', 'pods "none" not found'));
  });

  test.each([
    ['none:443', failure(404, 'NotFound', 'services "none" not found')],
    ['api:1', failure(503, 'ServiceUnavailable', 'no service port 1 found for service "api"')],
    ['api:other', failure(503, 'ServiceUnavailable', 'no endpoints available for service "api"')],
    ['a:b:c:d', failure(400, 'BadRequest', 'invalid service request "a:b:c:d"')],
    ['ftp:api:443', failure(400, 'BadRequest', 'invalid service request "ftp:api:443"')],
  ])('there is no way to %s', async (name, answer) => {
    const { at } = await inPod();
    expect(await request(at, `${path('services', name)}/`)).toMatchObject(answer);
  });

  test('there is none to an address that is no pod', async () => {
    const { at, simulation } = await inPod();
    const [before] = simulation.store.list(podKind);
    simulation.store.update(podKind, { ...before, status: { podIPs: [{ ip: '10.0.0.1' }] } });
    expect(await request(at, `${path('services', 'https:api:443')}/`)).toMatchObject(
      failure(503, 'ServiceUnavailable', 'no endpoints available for service "api"'),
    );
    simulation.store.update(podKind, { ...simulation.store.list(podKind)[0], status: {} });
    expect(await request(at, `${path('pods', 'api-0')}/`)).toMatchObject(failure(400, 'BadRequest', 'address not allowed'));
  });

  test('nothing is upgraded', async () => {
    const { at } = await inPod();
    expect(await upgrade(at, `${path('services', 'https:api:443')}/`)).toMatch(/^HTTP\/1\.1 501 [\s\S]*are not simulated/);
  });
});

describe('by the kubelet', () => {
  const log = '/api/v1/namespaces/default/pods/api-0/log';

  async function withKubelet(answer: http.RequestListener, made: Obj = pod()) {
    const simulation = await simulate('1.37', { answer });
    simulation.store.create(podKind, made);
    return front(handlersOf(simulation));
  }
  const echoUrl: http.RequestListener = ({ url }, response) => void response.end(url);

  test('a log is streamed, of the only container', async () => {
    const at = await withKubelet(echoUrl);
    const { status, body } = await request(at, `${log}?follow=true&tailLines=5&pretty=1&previous=`);
    expect({ status, body }).toEqual({ status: 200, body: '/containerLogs/default/api-0/api?follow=true&tailLines=5' });
  });

  test('of more containers one must be named', async () => {
    const at = await withKubelet(echoUrl, pod({ initContainers: [{ name: 'first' }], containers: [{ name: 'api' }, { name: 'etcd' }] }));
    const words = 'a container name must be specified for pod api-0, choose one of: [first api etcd]';
    expect(await request(at, log)).toMatchObject(failure(400, 'BadRequest', words));
    expect(await request(at, `${log}?container=other`)).toMatchObject(
      failure(400, 'BadRequest', 'container other is not valid for pod api-0'),
    );
    expect((await request(at, `${log}?container=first`)).body).toBe('/containerLogs/default/api-0/first?');
  });

  test('there is none of a pod that is gone, or on no node', async () => {
    const at = await withKubelet(echoUrl, pod({ nodeName: undefined }));
    expect(await request(at, log)).toMatchObject({ status: 204, body: '' });
    expect(await request(at, log.replace('api-0', 'none'))).toMatchObject(failure(404, 'NotFound', 'pods "none" not found'));
  });

  test.each([
    [400, failure(400, 'BadRequest', 'container "api" is waiting to start')],
    [404, failure(404, 'NotFound', 'the server could not find the requested resource ( pods/log api-0)')],
    [500, failure(500, 'InternalError', 'Internal error occurred: container "api" is waiting to start')],
  ])('what it says with status %d becomes a Status', async (code, answer) => {
    const parts = ['container "api" ', 'is waiting to start'] as const;
    const written = await withKubelet((_, response) => {
      response.writeHead(code).write(parts[0]);
      response.end(parts[1]);
    });
    expect(await request(written, log)).toMatchObject(answer);
    const implied = await withKubelet((_, response) => {
      response.statusCode = code;
      response.end(parts.join(''));
    });
    expect(await request(implied, log)).toMatchObject(answer);
  });

  const forward = '/api/v1/namespaces/default/pods/api-0/portforward';

  test('ports are forwarded', async () => {
    const answerUrl = ({ url }: http.IncomingMessage, socket: Duplex): unknown => socket.end(`HTTP/1.1 101 Yes\r\n\r\n${url}`);
    const simulation = await simulate('1.37', { upgrade: answerUrl });
    simulation.store.create(podKind, pod());
    const at = await front(handlersOf(simulation));
    expect(await upgrade(at, `${forward}?ports=8443`)).toBe('HTTP/1.1 101 Yes\r\n\r\n/portForward/default/api-0?port=8443');
    expect(await upgrade(at, forward)).toBe('HTTP/1.1 101 Yes\r\n\r\n/portForward/default/api-0');
    expect(await upgrade(at, forward.replace('api-0', 'none'))).toMatch(/^HTTP\/1\.1 404 [\s\S]*pods \\"none\\" not found/);
    expect(await request(at, forward)).toMatchObject(failure(400, 'BadRequest', 'Upgrade request required'));
    const [before] = simulation.store.list(podKind);
    simulation.store.update(podKind, { ...before, spec: { containers: [] } });
    expect(await upgrade(at, forward)).toMatch(/^HTTP\/1\.1 400 [\s\S]*pod api-0 does not have a host assigned/);
  });

  test('everything else is not for it', async () => {
    const at = await withKubelet(echoUrl);
    expect((await request(at, log.replace('/log', ''))).status).toBe(418);
    expect(await upgrade(at, log.replace('/log', '/exec'))).toBe('HTTP/1.1 418 No\r\n\r\n');
  });
});
