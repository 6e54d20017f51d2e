import tls from 'node:tls';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { DeadlineError, RefusedError } from '../../../../src/errors.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { waitForCertificates } from '../../../../src/operations/steps/certificates.ts';
import { inspect } from '../../../../src/pki/inspect.ts';
import { issueServing } from '../../../../src/pki/leaf.ts';
import type { Authority, Leaf } from '../../../../src/pki/types.ts';
import { answer, clusterAt, never, status } from '../../cluster/kube-api.ts';
import { forwardToLoopback, serveUpgrades, serveWebSockets } from '../../cluster/kubelet.ts';
import { listening, servingCertificate, tlsServer } from '../../cluster/listening.ts';
import { make } from '../../pki/certificates.ts';
import { deadlineIn, rejection } from '../waiting.ts';

interface Endpoint {
  readonly port: number;
  readonly pod?: string;
  readonly ready?: boolean;
}

const sliceOf = ({ port, pod, ready = true }: Endpoint) => ({
  metadata: { name: `api-${port}` },
  endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready }, ...(pod ? { targetRef: { kind: 'Pod', name: pod } } : {}) }],
  ports: [{ name: 'https', port }],
});

interface Situation {
  readonly caBundle: string;
  /** Each request for EndpointSlices returns the next list; the last one repeats. */
  readonly endpoints: readonly (readonly Endpoint[])[];
  readonly signal?: AbortSignal;
  readonly leaf?: string;
  /** Replicas of the Deployment. */
  readonly replicas?: number;
  /** How many requests for the Service are answered with 503 first. */
  readonly busy?: number;
  /** Whether port-forward to pods works. */
  readonly forwards?: boolean;
  /** Called after each progress report. */
  readonly onReport?: () => void;
}

/** Runs `waitForCertificates` with a cluster in this situation. */
async function waitForAll({
  caBundle,
  endpoints,
  signal = never,
  forwards = false,
  onReport = () => {},
  leaf,
  replicas = 0,
  busy = 0,
}: Situation) {
  const states: string[] = [];
  const lists = [...endpoints];
  let remaining = busy;
  const respond: Parameters<typeof serveUpgrades>[1] = ({ url = '' }, response) => {
    if (url.endsWith('/deployments/api')) return answer(response, 200, { metadata: { name: 'api' }, spec: { replicas } });
    if (url.endsWith('/services/api') && remaining-- > 0) return answer(response, 503, status(503, 'ServiceUnavailable', 'etcd is busy'));
    if (url.endsWith('/services/api'))
      return answer(response, 200, { metadata: { name: 'api' }, spec: { ports: [{ name: 'https', port: 443 }] } });
    if (url.endsWith('/pods/https%3Aapi-0%3A1/proxy/')) {
      const message = 'error trying to reach service: dial tcp 10.1.0.1:1: connect: connection refused';
      return answer(response, 503, status(503, 'ServiceUnavailable', message));
    }
    if (url.includes('/pods/')) return answer(response, 403, status(403, 'Forbidden', 'no'));
    expect(url).toContain('/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dapi');
    const now = lists.length > 1 ? lists.shift() : lists[0];
    return answer(response, 200, { metadata: { resourceVersion: '1' }, items: now?.map(sliceOf) });
  };
  const refuse: Parameters<typeof serveUpgrades>[0] = (_, socket) => socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n');
  const url = forwards ? (await serveWebSockets(forwardToLoopback, respond)).url : await serveUpgrades(refuse, respond);
  const onProgress = (each: Progress): void => {
    if (each.kind === 'waiting') states.push(each.last);
    onReport();
  };
  const waiting = { cluster: await clusterAt(url), signal, onProgress };
  const expected = { namespace: 'wardle', service: 'api', port: 443, caBundle, deployment: 'api', ...(leaf ? { leaf } : {}) };
  const unchecked = await waitForCertificates(waiting, expected);
  return { unchecked, states };
}

let old: { readonly authority: Authority; readonly leaf: Leaf };
let fresh: typeof old;
beforeAll(async () => {
  [old, fresh] = await Promise.all([servingCertificate(), servingCertificate()]);
});
const start = (server: tls.Server): Promise<{ readonly port: number }> => listening(server);
const contextOf = ({ leaf }: typeof old) => ({ cert: leaf.certificates, key: leaf.key.reveal() });

describe.each([
  ['outside the cluster', undefined],
  ['in a pod', 'api-0'],
])('the certificate of a server %s', (_, pod) => {
  const at = (port: number): Endpoint => ({ port, ...(pod ? { pod } : {}) });

  test('is checked again until it is the expected one', async () => {
    const server = tlsServer(old.leaf);
    const [slow, quick] = [await start(server), await start(tlsServer(fresh.leaf))];
    const { unchecked, states } = await waitForAll({
      caBundle: fresh.authority.certificates,
      endpoints: [[at(quick.port), at(slow.port)]],
      forwards: true,
      onReport: () => server.setSecureContext(contextOf(fresh)),
    });
    expect(unchecked).toEqual([]);
    const where = `127\\.0\\.0\\.1:${slow.port}${pod ? ' \\(pod api-0\\)' : ''}`;
    expect(states).toEqual([
      expect.stringMatching(new RegExp(`^${where}: serves CN=api\\.wardle\\.svc \\(SHA-256 [0-9A-F:]+\\), signed by CN=CA$`)),
    ]);
  });
});

describe('an endpoint', () => {
  test('counts only when it is ready', async () => {
    const { port } = await start(tlsServer(fresh.leaf));
    const { states } = await waitForAll({ caBundle: fresh.authority.certificates, endpoints: [[{ port: 1, ready: false }], [{ port }]] });
    expect(states).toEqual(['no endpoint is ready for port 443 of the Service']);
  });

  test('of a Deployment is awaited when it is missing in EndpointSlices', async () => {
    const { port } = await start(tlsServer(fresh.leaf));
    const one = { port, pod: 'api-0' };
    const endpoints = [[one], [one, { port, pod: 'api-1' }]];
    const { unchecked, states } = await waitForAll({ caBundle: fresh.authority.certificates, endpoints, replicas: 2, forwards: true });
    expect({ unchecked, states }).toEqual({ unchecked: [], states: ['1 of 2 pods are endpoints of the Service'] });
  });

  test('is checked again when kube-apiserver is busy', async () => {
    const { port } = await start(tlsServer(fresh.leaf));
    const { unchecked } = await waitForAll({ caBundle: fresh.authority.certificates, endpoints: [[{ port }]], busy: 2 });
    expect(unchecked).toEqual([]);
  });

  test('with an older certificate of the same CA is checked again', async () => {
    const { authority } = fresh;
    const names = { dns: ['api.wardle.svc'], ip: [] };
    const leaf = await issueServing({ authority, names, keyType: 'ecdsa-p256', lifetimeMs: 1e8, now: new Date() });
    const server = tlsServer(fresh.leaf);
    const { port } = await start(server);
    const { states } = await waitForAll({
      caBundle: authority.certificates,
      endpoints: [[{ port, pod: 'api-0' }]],
      forwards: true,
      leaf: inspect(leaf.certificates).certificates[0]?.fingerprint ?? '',
      onReport: () => server.setSecureContext(contextOf({ authority, leaf })),
    });
    expect(states).toEqual([expect.stringContaining(`SHA-256 ${inspect(fresh.leaf.certificates).certificates[0]?.fingerprint}`)]);
  });

  test('in a pod that is not reachable is reported as not checked', async () => {
    const { port } = await start(tlsServer(fresh.leaf));
    const { unchecked, states } = await waitForAll({
      caBundle: fresh.authority.certificates,
      endpoints: [[{ port }, { port: 1, pod: 'api-0' }]],
    });
    expect(unchecked).toEqual(['127.0.0.1:1 (pod api-0): connection refused']);
    expect(states).toEqual([]);
  });

  test('at whose address another host responds is reported as not checked', async () => {
    const { info, keyPair } = await make({ commonName: 'proxy.example.org', notAfter: new Date(Date.now() + 1e8) });
    const key = keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' });
    const { port } = await start(tls.createServer({ cert: info.pem, key }));
    const { unchecked } = await waitForAll({ caBundle: fresh.authority.certificates, endpoints: [[{ port, pod: 'api-0' }]] });
    expect(unchecked).toEqual([
      expect.stringMatching(
        /^127\.0\.0\.1:\d+ \(pod api-0\): not allowed .*; another host responds at this address from here, with the certificate of CN=proxy\.example\.org$/,
      ),
    ]);
  });

  /** A deadline that passes at the first report. */
  const shortDeadline = () => {
    const stop = new AbortController();
    return { signal: stop.signal, onReport: () => stop.abort(new DeadlineError('timed out after 1s')) };
  };

  test('in a pod where nothing listens is awaited when another pod answers', async () => {
    const { port } = await start(tlsServer(fresh.leaf));
    const both = [
      { port, pod: 'api-0' },
      { port: 1, pod: 'api-1' },
    ];
    const caBundle = fresh.authority.certificates;
    const error = await rejection(waitForAll({ caBundle, endpoints: [both], forwards: true, ...shortDeadline() }));
    expect((error as Error).message).toMatch(/; last state: 127\.0\.0\.1:1 \(pod api-1\): connection refused by localhost in the pod$/);
  });

  test('of a server outside the cluster that does not run is awaited', async () => {
    const caBundle = fresh.authority.certificates;
    const error = await rejection(waitForAll({ caBundle, endpoints: [[{ port: 1 }]], ...shortDeadline() }));
    expect((error as Error).message).toBe(
      'timed out after 1s, waiting for every endpoint to serve a certificate for api.wardle.svc that the caBundle verifies; last state: 127.0.0.1:1: connection refused',
    );
  });
});

describe('over time', () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  /** Advances the clock at each report. */
  const jumping = (ms: number): (() => void) => {
    vi.useFakeTimers({ toFake: ['performance'] });
    return () => vi.advanceTimersByTime(ms);
  };

  test('a pod that keeps its old certificate fails the wait, with the command to restart it', async () => {
    const { port } = await start(tlsServer(old.leaf));
    const error = await rejection(
      waitForAll({
        caBundle: fresh.authority.certificates,
        endpoints: [[{ port, pod: 'api-0' }]],
        forwards: true,
        onReport: jumping(101_000),
      }),
    );
    expect(error).toBeInstanceOf(RefusedError);
    expect((error as RefusedError).message).toMatch(
      /^a pod still serves a different certificate after 100s: 127\.0\.0\.1:\d+ \(pod api-0\): serves CN=api\.wardle\.svc \(SHA-256 \S+\), signed by CN=CA$/,
    );
    expect((error as RefusedError).fix).toContain('kubectl -n wardle rollout restart deployment/api');
  });

  test('a server outside the cluster is awaited until the deadline, because a user may still install the certificate', async () => {
    const { port } = await start(tlsServer(old.leaf));
    const error = await rejection(
      waitForAll({
        caBundle: fresh.authority.certificates,
        endpoints: [[{ port }]],
        onReport: jumping(101_000),
        signal: deadlineIn(700),
      }),
    );
    expect(error).toBeInstanceOf(DeadlineError);
  });

  test('pods that refuse connections at localhost become not checked: they may listen on another address', async () => {
    const { unchecked, states } = await waitForAll({
      caBundle: fresh.authority.certificates,
      endpoints: [[{ port: 1, pod: 'api-1' }]],
      forwards: true,
      onReport: jumping(10_000),
    });
    expect(states).toEqual(['127.0.0.1:1 (pod api-1): connection refused by localhost in the pod']);
    expect(unchecked).toEqual(states);
  });

  test('pods that refuse kube-apiserver too are awaited until the deadline', async () => {
    const error = await rejection(
      waitForAll({
        caBundle: fresh.authority.certificates,
        endpoints: [[{ port: 1, pod: 'api-0' }]],
        forwards: true,
        onReport: jumping(60_000),
        signal: deadlineIn(700),
      }),
    );
    expect((error as Error).message).toMatch(/; last state: 127\.0\.0\.1:1 \(pod api-0\): connection refused by the pod$/);
  });
});
