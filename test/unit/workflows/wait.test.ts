import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DeadlineError, Exit, InterruptedError, RefusedError } from '../../../src/errors.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import type { Progress } from '../../../src/workflows/events.ts';
import { verifyUntilHealthy } from '../../../src/workflows/verify.ts';
import { type Waiting, waitForAvailable, waitForCertificates, waitForEndpoints, waitForRollout } from '../../../src/workflows/wait.ts';
import { answer, clusterOf, never, status } from '../cluster/kube-api.ts';
import { withAvailable } from './objects.ts';

/** A wait on a cluster that lists `first`, and later sends each of `then` by watch. */
async function waitingFor(first: readonly KubeObject[], then: readonly KubeObject[] = [], signal: AbortSignal = never) {
  const progress: Progress[] = [];
  const watch = (response: ServerResponse): void => {
    response.flushHeaders();
    for (const [index, object] of then.entries()) {
      setTimeout(() => response.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`), 15 * (index + 1));
    }
  };
  const cluster = await clusterOf(({ url }, response) =>
    url.includes('watch=true') ? watch(response) : answer(response, 200, { metadata: { resourceVersion: '1' }, items: first }),
  );
  const waiting: Waiting = { cluster, signal, onProgress: (each) => progress.push(each) };
  const seen = (): string[] => progress.flatMap((each) => (each.kind === 'waiting' ? [each.last] : []));
  return { waiting, seen, progress };
}

const deadlineIn = (ms: number): AbortSignal => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new DeadlineError('timed out after 1s')), ms);
  return stop.signal;
};

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'it was fulfilled',
    (reason: unknown) => reason,
  );

describe('Available', () => {
  const broken = withAvailable('False', 'MissingEndpoints', 'endpoints for service/api in "wardle" have no addresses');

  test('is waited for by watch, each state told once', async () => {
    const { waiting, seen } = await waitingFor([], [broken, broken, withAvailable('True', 'Passed', 'all checks passed')]);
    await waitForAvailable(waiting, 'v1.example.com');
    expect(seen()).toEqual([
      'no Available condition yet',
      'Available=False (MissingEndpoints): endpoints for service/api in "wardle" have no addresses',
    ]);
  });

  test('when the time is up, the error says what was waited for and what was seen last', async () => {
    const { waiting } = await waitingFor([broken], [], deadlineIn(60));
    const error = await rejection(waitForAvailable(waiting, 'v1.example.com'));
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error).toMatchObject({
      exitCode: Exit.deadline,
      message:
        'timed out after 1s, waiting for APIService v1.example.com to become Available; last seen: Available=False (MissingEndpoints): endpoints for service/api in "wardle" have no addresses',
      fix: expect.stringContaining('--timeout'),
    });
  });

  test('Ctrl-C is not a deadline', async () => {
    const stop = new AbortController();
    const reason = new InterruptedError('SIGINT');
    setTimeout(() => stop.abort(reason), 30);
    const { waiting } = await waitingFor([broken], [], stop.signal);
    expect(await rejection(waitForAvailable(waiting, 'v1.example.com'))).toBe(reason);
  });
});

describe('a roll-out', () => {
  const deployment = (status: object, generation = 2): KubeObject =>
    ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'api', namespace: 'wardle', generation },
      spec: { replicas: 2 },
      status,
    }) as KubeObject;
  const done = { observedGeneration: 2, updatedReplicas: 2, availableReplicas: 2, replicas: 2 };

  test('is over when every pod is new and available, and no old one is left', async () => {
    const { waiting, seen } = await waitingFor(
      [deployment({ ...done, observedGeneration: 1 })],
      [
        deployment({ ...done, updatedReplicas: 1 }),
        deployment({ ...done, availableReplicas: 1 }),
        deployment({ ...done, replicas: 3 }),
        deployment(done),
      ],
    );
    await waitForRollout(waiting, deployment({}));
    expect(seen()).toEqual([
      '2 of 2 pods updated, 2 available',
      '1 of 2 pods updated, 2 available',
      '2 of 2 pods updated, 1 available',
      '2 of 2 pods updated, 2 available',
    ]);
  });

  test('that is stuck fails at once', async () => {
    const conditions = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'ReplicaSet has timed out' }];
    const { waiting } = await waitingFor([deployment({ ...done, updatedReplicas: 0, conditions })]);
    const error = await rejection(waitForRollout(waiting, deployment({})));
    expect(error).toBeInstanceOf(RefusedError);
    expect((error as RefusedError).message).toBe('Deployment wardle/api does not roll out: ReplicaSet has timed out');
  });
});

test('an endpoint counts when it is ready, and when nothing is said about it', async () => {
  const slice = (ready: boolean | undefined): KubeObject =>
    ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'api-x', namespace: 'wardle' },
      endpoints: [{ addresses: ['10.0.0.1'], conditions: ready === undefined ? {} : { ready } }],
      ports: [],
    }) as unknown as KubeObject;
  const { waiting, seen } = await waitingFor([slice(false)], [slice(true)]);
  await waitForEndpoints(waiting, 'wardle', 'api');
  expect(seen()).toEqual(['1 endpoints, none ready']);
  await waitForEndpoints((await waitingFor([slice(undefined)])).waiting, 'wardle', 'api');
});

describe('the certificates of the endpoints', () => {
  const host = 'api.wardle.svc';
  const now = new Date();
  const material = async () => {
    const authority = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 1e9, now });
    const leaf = await issueServing({ authority, names: { dns: [host], ip: [] }, keyType: 'ecdsa-p256', lifetimeMs: 1e8, now });
    return { caBundle: authority.certificates, context: { cert: leaf.certificates, key: leaf.key.reveal() } };
  };

  async function tlsServer(context: object): Promise<{ server: tls.Server; port: number }> {
    const server = tls.createServer(context);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => new Promise((resolve) => server.close(() => resolve())));
    return { server, port: (server.address() as AddressInfo).port };
  }

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

  /** Waits for a Service whose endpoints are these; each look at them gets the next list, the last one for ever. */
  async function waitForAll(caBundle: string, endpoints: readonly (readonly Endpoint[])[], signal: AbortSignal = never) {
    const progress: Progress[] = [];
    const lists = [...endpoints];
    const cluster = await clusterOf(({ url }, response) => {
      if (url.endsWith('/services/api')) return answer(response, 200, { spec: { ports: [{ name: 'https', port: 443 }] } });
      expect(url).toContain('/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dapi');
      const now = lists.length > 1 ? lists.shift() : lists[0];
      return answer(response, 200, { metadata: { resourceVersion: '1' }, items: now?.map(sliceOf) });
    });
    const waiting = { cluster, signal, onProgress: (each: Progress) => progress.push(each) };
    const unseen = await waitForCertificates(waiting, { namespace: 'wardle', service: 'api', port: 443, caBundle });
    const said = progress.flatMap((each) => (each.kind === 'waiting' ? [each.last] : each.kind === 'note' ? [each.what] : []));
    return { unseen, said };
  }

  test('are asked for again until all are the right ones', async () => {
    const [old, fresh] = [await material(), await material()];
    const [slow, quick] = [await tlsServer(old.context), await tlsServer(fresh.context)];
    setTimeout(() => slow.server.setSecureContext(fresh.context), 80);
    const { unseen, said } = await waitForAll(fresh.caBundle, [[{ port: quick.port }, { port: slow.port }]]);
    expect(unseen).toEqual([]);
    expect(said).toEqual([
      expect.stringMatching(
        new RegExp(`^127\\.0\\.0\\.1:${slow.port}: serves CN=api\\.wardle\\.svc \\(SHA-256 [0-9A-F:]+\\), signed by CN=CA$`),
      ),
    ]);
  });

  test('that are not ready do not count; those that come later do', async () => {
    const { caBundle, context } = await material();
    const { port } = await tlsServer(context);
    const { said } = await waitForAll(caBundle, [[{ port: 1, ready: false }], [{ port }]]);
    expect(said).toEqual(['no endpoint is ready for port 443 of the Service']);
  });

  test('of a pod that can not be reached from here are not waited for, but told', async () => {
    const { caBundle, context } = await material();
    const { port } = await tlsServer(context);
    const { unseen, said } = await waitForAll(caBundle, [[{ port }, { port: 1, pod: 'api-0' }]]);
    expect(unseen).toEqual(['127.0.0.1:1 (pod api-0): connection refused']);
    expect(said).toEqual(['going on without a look at the certificate of 127.0.0.1:1 (pod api-0): connection refused']);
  });

  test('of a server outside the cluster that does not run are waited for', async () => {
    const { caBundle } = await material();
    const error = await rejection(waitForAll(caBundle, [[{ port: 1 }]], deadlineIn(500)));
    expect((error as Error).message).toBe(
      'timed out after 1s, waiting for every endpoint to serve a certificate for api.wardle.svc that the caBundle trusts; last seen: 127.0.0.1:1: connection refused',
    );
  });
});

describe('verify --wait', () => {
  /** A cluster whose API answers, and is called Available, after so many looks. `hush` is called instead of an answer once there were so many. */
  async function clusterThatHeals(failures: number, answers = Number.POSITIVE_INFINITY, hush = () => {}) {
    const looks = { condition: 0, answer: 0 };
    const list = { kind: 'APIResourceList', groupVersion: 'example.com/v1', resources: [{ name: 'a' }] };
    const cluster = await clusterOf(({ url }, response) => {
      if (url === '/version') return answer(response, 200, { gitVersion: 'v1.37.2' });
      if (url === '/apis/example.com/v1') {
        looks.answer += 1;
        if (looks.answer > answers) return hush();
        return looks.answer > failures ? answer(response, 200, list) : answer(response, 503, 'service unavailable');
      }
      if (url.includes('/apiservices/')) {
        looks.condition += 1;
        return answer(response, 200, looks.condition > failures ? withAvailable('True', 'Passed', '') : withAvailable('False', 'X', 'y'));
      }
      return answer(response, 403, status(403, 'Forbidden', 'no'));
    });
    return { cluster, looks };
  }

  test('looks again until it is healthy', async () => {
    const { cluster, looks } = await clusterThatHeals(1);
    const diagnosis = await verifyUntilHealthy(cluster, ['v1.example.com'], never, never);
    expect(diagnosis).toMatchObject({ verdict: 'healthy', source: { version: 'v1.37.2' } });
    expect(looks).toEqual({ condition: 2, answer: 2 });
  });

  test('looks once when the time is up already, and says what is wrong', async () => {
    const { cluster, looks } = await clusterThatHeals(9);
    const diagnosis = await verifyUntilHealthy(cluster, ['v1.example.com'], AbortSignal.abort(), never);
    expect(diagnosis.verdict).toBe('broken');
    expect(diagnosis.apis[0]?.notChecked.map(({ what }) => what)).toEqual(['the Service', 'the EndpointSlices']);
    expect(looks).toEqual({ condition: 1, answer: 1 });
  });

  /** A deadline that passes when the look after so many is under way. */
  async function deadlineAfter(looks: number) {
    const stop = new AbortController();
    const { cluster } = await clusterThatHeals(9, looks, () => stop.abort(new DeadlineError('timed out')));
    return { cluster, signal: stop.signal };
  }

  test('gives the last diagnosis when the deadline cuts a further look short', async () => {
    const { cluster, signal } = await deadlineAfter(1);
    const diagnosis = await verifyUntilHealthy(cluster, ['v1.example.com'], signal, signal);
    expect(diagnosis).toMatchObject({ verdict: 'broken', apis: [{ findings: [{ code: 'control-plane/not-available' }] }] });
  });

  test('has nothing to say when the deadline passes before the first look is done', async () => {
    const { cluster, signal } = await deadlineAfter(0);
    expect(await rejection(verifyUntilHealthy(cluster, ['v1.example.com'], signal, signal))).toBe(signal.reason);
  });

  test('is ended by Ctrl-C without a diagnosis', async () => {
    const stop = new AbortController();
    const reason = new InterruptedError('SIGINT');
    const { cluster } = await clusterThatHeals(9, 1, () => stop.abort(reason));
    expect(await rejection(verifyUntilHealthy(cluster, ['v1.example.com'], stop.signal, stop.signal))).toBe(reason);
  });

  test('a version that may not be read is unknown, not invented', async () => {
    const cluster = await clusterOf((_, response) => answer(response, 403, status(403, 'Forbidden', 'no')));
    const diagnosis = await verifyUntilHealthy(cluster, ['v1.example.com'], AbortSignal.abort(), never);
    expect(diagnosis).toMatchObject({ verdict: 'unknown', source: { version: undefined } });
  });

  test('credentials that are refused end it', async () => {
    const cluster = await clusterOf((_, response) => answer(response, 401, status(401, 'Unauthorized', 'Unauthorized')));
    const error = await rejection(verifyUntilHealthy(cluster, ['v1.example.com'], never, never));
    expect((error as Error).message).toContain('refuses the credentials of user "test"');
  });
});
