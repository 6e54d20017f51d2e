import { describe, expect, test } from 'vitest';
import { catalog } from '../../../src/diagnosis/catalog.ts';
import { subjectAltName } from '../../../src/pki/extensions.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { make } from '../pki/certificates.ts';
import { causesOf, pod } from './cause-tree.ts';
import { everything } from './everything.ts';
import { without } from './fault-parts.ts';
import { faults } from './faults.ts';
import {
  absent,
  answers,
  api,
  codes,
  diagnosed,
  fails,
  gone,
  now,
  readyPod,
  seen,
  serves,
  service,
  unavailable,
  unseen,
} from './snapshots.ts';

/** Which of several faults is the cause, where kube-apiserver gets no answer. */

const unrelated = (await make({ commonName: 'proxy', extensions: [subjectAltName({ dns: ['proxy.example.com'], ip: [] }, false)] })).info;

describe('the connection of kube-apiserver', () => {
  const words = 'failing or missing response from https://10.0.0.1:443/x: Get "https://10.0.0.1:443/x": dial tcp 10.0.0.1:443: i/o timeout';
  const timedOut = { apiService: seen(unavailable(words)), aggregated: gone };

  test('times out at the cluster IP if the service proxy reaches the server', () => {
    expect(causesOf(timedOut)[0]).toEqual(['network/cluster-ip-unreachable', expect.anything()]);
  });

  test('times out at the endpoint if the service proxy times out too', () => {
    const serviceProxy = answers(503, 'error trying to reach service: dial tcp 10.1.0.1:8443: i/o timeout');
    expect(causesOf({ ...timedOut, serviceProxy })[0]).toEqual(['network/timeout', expect.anything()]);
  });

  test.each(['network/timeout', 'endpoints/connection-refused'] as const)('may be forbidden by a NetworkPolicy: %s', (code) => {
    expect(catalog[code].cause).toContain('NetworkPolicy');
  });

  test('without a route fails at the cluster IP, even if the service proxy finds no Endpoints', () => {
    const serviceProxy = answers(503, 'no endpoints available for service "api"');
    const noRoute = { ...timedOut, apiService: seen(unavailable(words.replace('i/o timeout', 'connect: network is unreachable'))) };
    expect(causesOf({ ...noRoute, serviceProxy })[0]).toEqual(['network/cluster-ip-unreachable', expect.anything()]);
  });

  describe('to a server that does not respond after the TLS handshake', () => {
    const noResponse = { state: 'unseen', reason: 'unreachable', words: 'no response within 5 s' } as const;
    const rootWith = (words: string) =>
      causesOf({ apiService: seen(unavailable(words)), aggregated: gone, serviceProxy: noResponse, anonymous: noResponse })[0];

    test.each(['context deadline exceeded', 'net/http: request canceled'])('is slow if kube-apiserver sent the request: %s', (reason) => {
      expect(rootWith(`${reason} (Client.Timeout exceeded while awaiting headers)`)).toEqual(['discovery/slow', expect.anything()]);
    });

    test.each([words, 'net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)'])(
      'times out if kube-apiserver did not connect: %s',
      (reason) => {
        expect(rootWith(reason)).toEqual(['network/timeout', expect.anything()]);
      },
    );
  });

  test('sent a request to a server that is slow only for authenticated requests', () => {
    const words = 'Get "https://10.0.0.1:443/x": context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
    expect(causesOf({ apiService: seen(unavailable(words)), aggregated: gone })[0]).toEqual(['discovery/slow', expect.anything()]);
  });

  test.each<[string, string, ApiSnapshot['serviceProxy']]>([
    ['discovery/no-answer', 'nothing else is known', unseen()],
    [
      'network/timeout',
      'the service proxy cannot connect',
      answers(503, 'error trying to reach service: dial tcp 10.1.0.1:8443: i/o timeout'),
    ],
  ])('may not have connected if an endpoint answers here: %s if %s', (code, _, serviceProxy) => {
    const words = 'Get "https://10.1.0.1:8443/x": context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
    expect(causesOf({ apiService: seen(unavailable(words)), aggregated: gone, serviceProxy })[0]).toEqual([code, expect.anything()]);
  });

  describe('gets no answer while the condition is True', () => {
    const aggregated = without({ kind: 'none', afterMs: 10_000 });
    const silent = { state: 'unseen', reason: 'unreachable', words: 'no response within 5 s' } as const;

    test('because the server is silent here too', () => {
      expect(causesOf({ aggregated, serviceProxy: unseen(), anonymous: silent })).toEqual([['discovery/slow', []]]);
    });

    test('because the network drops its packets', () => {
      expect(causesOf({ aggregated, serviceProxy: silent })).toEqual([['network/timeout', []]]);
    });

    test('because the handshake fails here too', () => {
      expect(causesOf({ aggregated, serviceProxy: silent, probes: seen([fails('tls-timeout')]) })).toEqual([
        ['endpoints/handshake-timeout', []],
      ]);
    });
  });

  describe('failed before the pods were ready', () => {
    const words = 'Get "https://10.0.0.1:443/x": dial tcp 10.0.0.1:443: connect: no route to host';
    const at = (since: string, changed = since) => {
      const condition = { status: 'False', reason: 'FailedDiscoveryCheck', message: words, lastTransitionTime: changed } as const;
      return causesOf({
        apiService: seen({ ...api, available: condition }),
        aggregated: gone,
        pods: seen([{ ...readyPod, readySince: since }]),
      });
    };
    const ago = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString();

    test('is not proof until kube-apiserver checks again', () => {
      expect(at(ago(10), ago(20))).toEqual([['control-plane/not-available', ['discovery/request-failed']]]);
    });

    test.each([
      ['the pods have been ready for longer than a check takes', ago(60), ago(70)],
      ['the condition is newer than the readiness', ago(20), ago(10)],
    ])('is proof if %s', (_, since, changed) => {
      expect(at(since, changed)[0]).toEqual(['network/cluster-ip-unreachable', expect.anything()]);
    });
  });

  test('that does not reach the pods is not explained by an unrelated certificate', () => {
    const words = 'failing or missing response from https://10.1.0.1:8443/x: Get "https://10.1.0.1:8443/x": No agent available';
    const change = { apiService: seen(unavailable(words)), aggregated: gone, probes: seen([serves(unrelated)]) };
    expect(codes(diagnosed(change))).toEqual(['network/no-konnectivity-agent']);
  });

  test('is not at fault if the service proxy gets an answer', () => {
    const [finding] = diagnosed({ ...everything, aggregated: answers(500, 'no') }).findings;
    expect(finding?.evidence.join()).toContain('through the service proxy: 403, so the problem is TLS or authentication');
  });

  test('is refused because of a wrong targetPort only if the flags prove it', () => {
    const other = seen({ ...service, ports: [{ name: 'https', port: 443, targetPort: '9443' }] });
    const { probes } = faults['endpoints/connection-refused'];
    const refused = { service: other, aggregated: gone, ...(probes ? { probes } : {}) };
    expect(causesOf(refused)[0]).toEqual(['service/wrong-target-port', expect.arrayContaining(['endpoints/connection-refused'])]);
    expect(causesOf({ ...refused, server: { state: 'absent' } })[0]).toEqual(['endpoints/connection-refused', expect.anything()]);
  });
});

describe('the service proxy', () => {
  const evidence = (serviceProxy: ApiSnapshot['serviceProxy']): string =>
    diagnosed({ serviceProxy, aggregated: answers(404, '404 page not found') })
      .findings.flatMap((each) => each.evidence)
      .join('\n');
  const notFound = { kind: 'Status', reason: 'NotFound', message: 'services "api" not found', details: { name: 'api', kind: 'services' } };

  test('proves that the network works if the server answers', () => {
    expect(evidence(answers(404, '404 page not found'))).toContain('through the service proxy: 404');
  });

  test('proves nothing if kube-apiserver itself answers that the Service does not exist', () => {
    expect(evidence(answers(404, JSON.stringify(notFound)))).not.toContain('through the service proxy');
  });
});

describe('a message of kube-apiserver', () => {
  const reports = (words: string): Partial<ApiSnapshot> => ({
    apiService: seen(unavailable(`failing or missing response from https://10.1.0.1:8443/x: Get "https://10.1.0.1:8443/x": ${words}`)),
    aggregated: gone,
  });

  test.each(['dial tcp 10.1.0.1:8443: connect: connection refused', 'http: server gave HTTP response to HTTPS client'])(
    'is out of date if every endpoint serves a valid certificate: %s',
    (words) => {
      expect(causesOf(reports(words))).toEqual([['control-plane/not-available', ['discovery/request-failed']]]);
    },
  );

  test('counts if no endpoint was reached', () => {
    const found = causesOf({ ...reports('dial tcp 10.1.0.1:8443: connect: connection refused'), probes: unseen() });
    expect(found).toEqual([['endpoints/connection-refused', ['discovery/request-failed', 'control-plane/not-available']]]);
  });

  test('counts if the fault is on the route of kube-apiserver', () => {
    expect(causesOf(reports('dial tcp 10.1.0.1:8443: i/o timeout'))).toMatchObject([['network/timeout', expect.anything()]]);
  });
});

describe('a server that requires a client certificate during the TLS handshake', () => {
  const required: Partial<ApiSnapshot> = {
    anonymous: { state: 'unseen', reason: 'skipped', words: 'TLS: tlsv13 alert certificate required' },
  };

  test.each(['EOF', 'write tcp 10.0.0.2:4711->10.1.0.1:8443: write: broken pipe', 'http2: client conn could not be established'])(
    'explains the lost connection of kube-apiserver: %s',
    (words) => {
      const aggregated = answers(503, `error trying to reach service: ${words}`);
      const explained = expect.arrayContaining(['network/connection-lost']);
      expect(causesOf({ ...required, aggregated })).toMatchObject([['auth/proxy-certificate-refused', explained]]);
    },
  );

  test('is not a finding if kube-apiserver connects', () => {
    expect(causesOf({ anonymous: required.anonymous as ApiSnapshot['anonymous'] })).toEqual([]);
  });
});

describe('a message that does not come from kube-apiserver', () => {
  test.each<[number, string, string]>([
    [
      500,
      'Post "https://10.96.0.1:443/apis/authorization.k8s.io/v1/subjectaccessreviews": dial tcp 10.96.0.1:443: i/o timeout',
      'request-failed',
    ],
    [500, 'etcdserver: context deadline exceeded', 'request-failed'],
    [500, 'dial tcp 10.0.0.9:2379: connect: connection refused', 'request-failed'],
    [500, 'Get "https://10.96.0.1:443/x": x509: certificate signed by unknown authority', 'request-failed'],
    [500, 'rpc error: unexpected EOF', 'request-failed'],
    [502, 'Bad Gateway', 'request-failed'],
    [503, '{"kind":"Status","message":"no leader: i/o timeout","code":503}', 'request-failed'],
  ])('%d %s is a fault of the server', (status, body, code) => {
    expect(causesOf({ aggregated: answers(status, body) })).toEqual([[`discovery/${code}`, []]]);
    const unreached = seen([pod(fails('no-forward', 'no'), 0)]);
    expect(causesOf({ aggregated: answers(status, body), probes: unreached })).toEqual([[`discovery/${code}`, []]]);
  });

  test('does not explain the failed request of another user', () => {
    const asUser = seen({ path: '/apis/x', status: 500, body: 'subjectaccessreviews: i/o timeout', user: 'jane', allowed: true });
    expect(causesOf({ asUser })).toEqual([['discovery/request-failed', []]]);
  });

  test('counts if it reports a missing permission of the server', () => {
    const body =
      'subjectaccessreviews.authorization.k8s.io is forbidden: User "system:serviceaccount:wardle:api" cannot create resource: EOF';
    expect(causesOf({ aggregated: answers(500, body) })[0]).toMatchObject(['auth/delegator-missing', expect.anything()]);
  });
});

describe('an outdated condition', () => {
  const withoutTarget: [string, Partial<ApiSnapshot>][] = [
    ['endpoints/none', { endpoints: seen([]), pods: seen([]), probes: unseen() }],
    ['service/missing', { service: absent, endpoints: seen([]), pods: unseen(), probes: unseen() }],
  ];
  const words = ['connect: connection refused', 'i/o timeout', 'EOF', 'x509: certificate signed by unknown authority'];

  test.each(withoutTarget.flatMap(([code, change]) => words.map((text) => [code, text, change] as const)))(
    'does not hide %s: %s',
    (code, text, change) => {
      const apiService = seen(unavailable(`Get "https://10.1.0.1:8443/x": ${text}`));
      expect(causesOf({ ...change, apiService, aggregated: gone })).toMatchObject([[code, expect.anything()]]);
    },
  );
});
