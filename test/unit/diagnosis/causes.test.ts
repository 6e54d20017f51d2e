import { describe, expect, test } from 'vitest';
import type { Finding } from '../../../src/diagnosis/types.ts';
import { subjectAltName } from '../../../src/pki/extensions.ts';
import type { ApiSnapshot, EndpointProbe } from '../../../src/snapshot/types.ts';
import { inDays, make, makeCa } from '../pki/certificates.ts';
import { everything } from './everything.ts';
import { faults, without } from './faults.ts';
import {
  absent,
  answers,
  api,
  bundleOf,
  codes,
  diagnosed,
  fails,
  host,
  inYears,
  leafCertificate,
  leafFor,
  now,
  readyPod,
  seen,
  serves,
  service,
  unavailable,
  unseen,
} from './snapshots.ts';

/** Which of several faults is the cause. */

const selfGenerated = (
  await make({ commonName: 'localhost@1750000000', extensions: [subjectAltName({ dns: ['localhost'], ip: [] }, false)] })
).info;
const unrelated = (await make({ commonName: 'proxy', extensions: [subjectAltName({ dns: ['proxy.example.com'], ip: [] }, false)] })).info;
const gone = answers(503, 'service unavailable');
const tree = (findings: readonly Finding[]): unknown[] => findings.map(({ code, explains }) => [code, explains.map((each) => each.code)]);
const of = (change: Partial<ApiSnapshot>): unknown[] => tree(diagnosed({ ...everything, ...change }).findings);
const pod = (probe: EndpointProbe, number: number): EndpointProbe => ({
  ...probe,
  at: `10.1.0.${number}:8443 (pod api-${number})`,
  pod: `api-${number}`,
  via: 'pod',
});

describe('a self-generated certificate', () => {
  test('explains the wrong name and the unknown authority', () => {
    expect(of({ probes: seen([pod(serves(selfGenerated), 0)]), aggregated: gone })).toContainEqual([
      'cert/self-generated',
      expect.arrayContaining(['cert/san-mismatch', 'cert/unknown-authority', 'discovery/request-failed']),
    ]);
  });

  test('is recognized by its DNS names, whatever its IP addresses', async () => {
    const bound = (
      await make({ commonName: 'localhost@1750000000', extensions: [subjectAltName({ dns: ['localhost'], ip: ['10.1.0.1'] }, false)] })
    ).info;
    expect(codes(diagnosed({ ...everything, secret: unseen(), probes: seen([serves(bound)]), aggregated: gone }))).toEqual([
      'cert/self-generated',
    ]);
  });

  test('does not explain the fault of another pod', async () => {
    const other = await leafFor(['api.other.svc']);
    const probes = seen([pod(serves(selfGenerated), 0), pod(serves(other), 1)]);
    const diagnosis = diagnosed({ ...everything, secret: unseen(), probes, aggregated: gone });
    expect(codes(diagnosed({ ...everything, probes, aggregated: gone }))).toEqual(['cert/self-generated', 'cert/secret-differs']);
    expect(codes(diagnosis)).toEqual(['cert/self-generated', 'cert/san-mismatch']);
    expect(diagnosis.findings[1]?.title).toContain('(pod api-1)');
  });

  test('is not a finding with insecureSkipTLSVerify', () => {
    const insecure = seen({ ...api, caBundle: '', insecureSkipTLSVerify: true });
    expect(of({ apiService: insecure, probes: seen([serves(selfGenerated)]), secret: unseen() })).not.toContainEqual([
      'cert/self-generated',
      expect.anything(),
    ]);
  });
});

describe('a Secret that the pods have not loaded', () => {
  const expired = { ...leafCertificate, notAfter: inDays(-1).toISOString(), fingerprint: 'AA' };

  test('explains the faults of the old certificate', () => {
    expect(of({ probes: seen([pod(serves(expired), 0)]), aggregated: gone })).toEqual([
      ['cert/secret-differs', ['cert/expired', 'discovery/request-failed', 'control-plane/flapping']],
    ]);
  });

  test('does not concern a pod that mounts another Secret', () => {
    const secret = seen({
      name: 'api-tls',
      pods: ['api-1'],
      type: 'Opaque',
      certificates: [leafCertificate],
      keyMatches: true,
      otherKeys: [],
    });
    const probes = seen([pod(serves(expired), 0), pod(serves(leafCertificate), 1)]);
    expect(codes(diagnosed({ ...everything, secret, probes }))).toEqual(['cert/expired']);
  });

  test('is one finding for all pods with the same certificate', () => {
    const probes = seen([pod(serves(expired), 0), pod(serves(leafCertificate), 1), pod(serves(expired), 2)]);
    const { findings } = diagnosed({ ...everything, probes });
    expect(findings.map(({ code }) => code)).toEqual(['cert/secret-differs']);
    expect(findings[0]?.title).toContain('10.1.0.0:8443 (pod api-0), 10.1.0.2:8443 (pod api-2) is not the one in the Secret');
  });

  test('explains nothing if the new certificate is not valid either', async () => {
    const wrong = await leafFor(['api.other.svc']);
    const secret = seen({
      name: 'api-tls',
      pods: ['api-0', 'api-1'],
      type: 'kubernetes.io/tls',
      certificates: [wrong],
      keyMatches: true,
      otherKeys: [],
    });
    const found = diagnosed({ ...everything, secret, probes: seen([pod(serves(expired), 0)]), aggregated: gone }).findings;
    expect(found.map(({ code, severity }) => [code, severity])).toEqual([
      ['cert/expired', 'error'],
      ['cert/secret-differs', 'warning'],
    ]);
  });

  test('is explained by a subPath mount', () => {
    const { server } = faults['cert/sub-path-mount'];
    const found = of({ probes: seen([pod(serves(expired), 0)]), aggregated: gone, ...(server ? { server } : {}) });
    expect(found).toEqual([['cert/sub-path-mount', expect.arrayContaining(['cert/secret-differs', 'cert/expired'])]]);
  });
});

describe('the connection of kube-apiserver', () => {
  const words = 'failing or missing response from https://10.0.0.1:443/x: Get "https://10.0.0.1:443/x": dial tcp 10.0.0.1:443: i/o timeout';
  const timedOut = { apiService: seen(unavailable(words)), aggregated: gone };

  test('times out at the cluster IP if the service proxy reaches the server', () => {
    expect(of(timedOut)[0]).toEqual(['network/cluster-ip-unreachable', expect.anything()]);
  });

  test('times out at the endpoint if the service proxy times out too', () => {
    const serviceProxy = answers(503, 'error trying to reach service: dial tcp 10.1.0.1:8443: i/o timeout');
    expect(of({ ...timedOut, serviceProxy })[0]).toEqual(['network/timeout', expect.anything()]);
  });

  test('without a route fails at the cluster IP, even if the service proxy finds no Endpoints', () => {
    const serviceProxy = answers(503, 'no endpoints available for service "api"');
    const noRoute = { ...timedOut, apiService: seen(unavailable(words.replace('i/o timeout', 'connect: network is unreachable'))) };
    expect(of({ ...noRoute, serviceProxy })[0]).toEqual(['network/cluster-ip-unreachable', expect.anything()]);
  });

  describe('to a server that does not respond after the TLS handshake', () => {
    const noResponse = { state: 'unseen', reason: 'unreachable', words: 'no answer in 5 s' } as const;
    const rootWith = (words: string) =>
      of({ apiService: seen(unavailable(words)), aggregated: gone, serviceProxy: noResponse, anonymous: noResponse })[0];

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
    expect(of({ apiService: seen(unavailable(words)), aggregated: gone })[0]).toEqual(['discovery/slow', expect.anything()]);
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
    expect(of({ apiService: seen(unavailable(words)), aggregated: gone, serviceProxy })[0]).toEqual([code, expect.anything()]);
  });

  describe('gets no answer while the condition is True', () => {
    const aggregated = without({ kind: 'none', afterMs: 10_000 });
    const silent = { state: 'unseen', reason: 'unreachable', words: 'no answer in 5 s' } as const;

    test('because the server is silent here too', () => {
      expect(of({ aggregated, serviceProxy: unseen(), anonymous: silent })).toEqual([['discovery/slow', []]]);
    });

    test('because the network drops its packets', () => {
      expect(of({ aggregated, serviceProxy: silent })).toEqual([['network/timeout', []]]);
    });

    test('because the handshake fails here too', () => {
      expect(of({ aggregated, serviceProxy: silent, probes: seen([fails('tls-timeout')]) })).toEqual([['endpoints/handshake-timeout', []]]);
    });
  });

  describe('failed before the pods were ready', () => {
    const words = 'Get "https://10.0.0.1:443/x": dial tcp 10.0.0.1:443: connect: no route to host';
    const at = (since: string, changed = since) => {
      const condition = { status: 'False', reason: 'FailedDiscoveryCheck', message: words, lastTransitionTime: changed } as const;
      return of({ apiService: seen({ ...api, available: condition }), aggregated: gone, pods: seen([{ ...readyPod, readySince: since }]) });
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
    expect(finding?.evidence.join()).toContain('through the service proxy: 403, so the fault is TLS or authentication');
  });

  test('is refused because of a wrong targetPort only if the flags prove it', () => {
    const other = seen({ ...service, ports: [{ name: 'https', port: 443, targetPort: '9443' }] });
    const { probes } = faults['endpoints/connection-refused'];
    const refused = { service: other, aggregated: gone, ...(probes ? { probes } : {}) };
    expect(of(refused)[0]).toEqual(['service/wrong-target-port', expect.arrayContaining(['endpoints/connection-refused'])]);
    expect(of({ ...refused, server: { state: 'absent' } })[0]).toEqual(['endpoints/connection-refused', expect.anything()]);
  });
});

test('an intermediate CA that expires soon, before its leaf, is one finding', async () => {
  const root = await makeCa({ commonName: 'root', notAfter: inYears(9) });
  const expiring = await makeCa({ commonName: 'inner', issuer: root, notAfter: inDays(10) });
  const leaf = await make({ commonName: 'leaf', issuer: expiring, extensions: [subjectAltName({ dns: [host], ip: [] }, false)] });
  const apiService = seen({ ...api, caBundle: bundleOf(root.info) });
  expect(of({ apiService, probes: seen([serves(leaf.info, expiring.info)]), secret: unseen() })).toEqual([
    ['cert/expires-soon', ['cert/ca-expires-before-leaf']],
  ]);
});

test.each<[number, readonly string[]]>([
  [1, []],
  [60, []],
  [61, ['cert/ca-expires-before-leaf']],
])('a CA that expires %i seconds before its leaf, as Helm generates them: %s', async (seconds, expected) => {
  const ends = inDays(300);
  const issuer = await makeCa({ commonName: 'CA', notAfter: new Date(ends.getTime() - seconds * 1000) });
  const extensions = [subjectAltName({ dns: [host], ip: [] }, false)];
  const { info } = await make({ commonName: 'leaf', issuer, extensions, notAfter: ends });
  const apiService = seen({ ...api, caBundle: bundleOf(issuer.info) });
  expect(codes(diagnosed({ apiService, probes: seen([serves(info)]) }))).toEqual(expected);
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
      expect(of(reports(words))).toEqual([['control-plane/not-available', ['discovery/request-failed']]]);
    },
  );

  test('counts if no endpoint was reached', () => {
    const found = of({ ...reports('dial tcp 10.1.0.1:8443: connect: connection refused'), probes: unseen() });
    expect(found).toEqual([['endpoints/connection-refused', ['discovery/request-failed', 'control-plane/not-available']]]);
  });

  test('counts if the fault is on the route of kube-apiserver', () => {
    expect(of(reports('dial tcp 10.1.0.1:8443: i/o timeout'))).toMatchObject([['network/timeout', expect.anything()]]);
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
      expect(of({ ...required, aggregated })).toMatchObject([['auth/proxy-certificate-refused', explained]]);
    },
  );

  test('is not a finding if kube-apiserver connects', () => {
    expect(of({ anonymous: required.anonymous as ApiSnapshot['anonymous'] })).toEqual([]);
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
    expect(of({ aggregated: answers(status, body) })).toEqual([[`discovery/${code}`, []]]);
    const unreached = seen([pod(fails('no-forward', 'no'), 0)]);
    expect(of({ aggregated: answers(status, body), probes: unreached })).toEqual([[`discovery/${code}`, []]]);
  });

  test('does not explain the failed request of another user', () => {
    const asUser = seen({ path: '/apis/x', status: 500, body: 'subjectaccessreviews: i/o timeout', user: 'jane', allowed: true });
    expect(of({ asUser })).toEqual([['discovery/request-failed', []]]);
  });

  test('counts if it reports a missing permission of the server', () => {
    const body =
      'subjectaccessreviews.authorization.k8s.io is forbidden: User "system:serviceaccount:wardle:api" cannot create resource: EOF';
    expect(of({ aggregated: answers(500, body) })[0]).toMatchObject(['auth/delegator-missing', expect.anything()]);
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
      expect(of({ ...change, apiService, aggregated: gone })).toMatchObject([[code, expect.anything()]]);
    },
  );
});
