import { describe, expect, test } from 'vitest';
import { requestPath } from '../../../src/diagnosis/path.ts';
import type { Finding, Hop } from '../../../src/diagnosis/types.ts';
import type { ApiSnapshot, EndpointProbe, EndpointView, Source } from '../../../src/snapshot/types.ts';
import { absent, api, endpoint, fails, healthy, leafCertificate, name, readyPod, seen, serves, snapshotOf, unseen } from './snapshots.ts';

const cluster = snapshotOf().source;

const finding = (code: Finding['code'], title = '', change: Partial<Finding> = {}): Finding => ({
  code,
  severity: 'error',
  title,
  evidence: [],
  cause: '',
  fix: '',
  link: '',
  explains: [],
  ...change,
});

/** One line a hop: `service wardle/api port 443: ok`. */
const shown = (hops: readonly Hop[]): string[] =>
  hops.map(({ kind, name, state, codes }) => [`${kind} ${name}: ${state}`, ...codes].join(' '));

const path = (change: Partial<ApiSnapshot>, findings: readonly Finding[] = [], source: Source = cluster): string[] =>
  shown(requestPath({ ...healthy, ...change }, source, findings));

const before = ['client context test: ok', 'kube-apiserver https://127.0.0.1:6443: ok'];
const beforeEndpoints = [...before, 'service wardle/api port 443: ok'];

const probeAt = (number: number): EndpointProbe => ({
  ...serves(leafCertificate),
  at: `10.1.0.${number}:8443 (pod api-${number})`,
  pod: `api-${number}`,
});
const endpointAt = (number: number, ready = true): EndpointView => ({
  ...endpoint,
  address: `10.1.0.${number}`,
  pod: `api-${number}`,
  ready,
});
/** The hops of the endpoints alone. */
const endpoints = (change: Partial<ApiSnapshot>, findings: readonly Finding[] = []): string[] => path(change, findings).slice(3);

describe('the request path', () => {
  test('has client, kube-apiserver, Service and endpoint', () => {
    expect(path({})).toEqual([...beforeEndpoints, 'endpoint 10.1.0.1:8443 (pod api-0): ok']);
  });

  test('of a Local API ends at kube-apiserver', () => {
    expect(path({ apiService: seen({ ...api, service: undefined }) })).toEqual(before);
  });

  test('of an unregistered API ends at kube-apiserver', () => {
    expect(path({ apiService: absent }, [finding('registration/missing')])).toEqual([
      'client context test: ok',
      'kube-apiserver https://127.0.0.1:6443: broken registration/missing',
    ]);
  });

  test('marks hops that were not checked', () => {
    expect(path({ service: unseen(), endpoints: unseen(), pods: unseen(), probes: unseen() })).toEqual([
      ...before,
      'service wardle/api port 443: unseen',
      'endpoint the endpoints of the Service: unseen',
    ]);
    expect(path({ apiService: unseen(), service: unseen(), aggregated: unseen() })).toEqual([
      'client context test: ok',
      'kube-apiserver https://127.0.0.1:6443: unseen',
      'service the Service: unseen',
      'endpoint the endpoints of the Service: unseen',
    ]);
  });

  test('marks an unreachable cluster', () => {
    const nothing = { state: 'unseen', reason: 'unreachable', words: 'no answer' } as const;
    expect(path({ apiService: nothing, aggregated: nothing })[0]).toBe('client context test: unseen');
  });

  test('of files has no cluster', () => {
    const source = { kind: 'files', files: ['a.yaml'] } as const;
    expect(path({ endpoints: unseen(), probes: unseen() }, [finding('bundle/empty')], source)).toEqual([
      'client any client: unseen',
      `kube-apiserver APIService ${name}: broken bundle/empty`,
      'service wardle/api port 443: ok',
      'endpoint the endpoints of the Service: unseen',
    ]);
  });
});

describe('the endpoints', () => {
  test('may not exist', () => {
    expect(path({ endpoints: seen([]), probes: seen([]) }, [finding('endpoints/none')])).toEqual([
      ...before,
      'service wardle/api port 443: broken endpoints/none',
      'endpoint no endpoints: unseen',
    ]);
  });

  test('that are not ready or not reachable are not checked', () => {
    const change = {
      endpoints: seen([endpointAt(1), endpointAt(2, false), endpointAt(3)]),
      probes: seen([probeAt(1)]),
    };
    expect(endpoints(change)).toEqual([
      'endpoint 10.1.0.1:8443 (pod api-1): ok',
      'endpoint 10.1.0.2 (pod api-2, not ready): unseen',
      'endpoint 10.1.0.3 (pod api-3): unseen',
    ]);
  });

  test('that are not reachable from here are not checked', () => {
    expect(endpoints({ probes: seen([fails('timeout')]) })).toEqual(['endpoint 10.1.0.1:8443 (pod api-0): unseen']);
  });

  test('may have an IPv6 address', () => {
    const probe = { ...probeAt(1), at: '[fd00::1]:8443', pod: undefined };
    expect(endpoints({ endpoints: seen([{ ...endpoint, address: 'fd00::1', pod: undefined }]), probes: seen([probe]) })).toEqual([
      'endpoint [fd00::1]:8443: ok',
    ]);
  });

  test('include a pod without an endpoint if it has a finding', () => {
    const pods = seen([readyPod, { ...readyPod, name: 'api-7', ready: false }, { ...readyPod, name: 'api-77', ready: false }]);
    const crashing = finding('endpoints/pod-crashing', 'Container server crashes in pod api-7', { severity: 'warning' });
    expect(endpoints({ pods }, [crashing])).toEqual([
      'endpoint 10.1.0.1:8443 (pod api-0): ok',
      'endpoint pod api-7: warning endpoints/pod-crashing',
    ]);
  });
});

describe('a finding', () => {
  const three = { endpoints: seen([1, 2, 11].map((number) => endpointAt(number))), probes: seen([1, 2, 11].map(probeAt)) };

  test('belongs to the endpoints that it names, not to those with a longer name', () => {
    expect(endpoints(three, [finding('cert/expired', 'The certificate from 10.1.0.1:8443 (pod api-1) expired on 2026-01-01')])).toEqual([
      'endpoint 10.1.0.1:8443 (pod api-1): broken cert/expired',
      'endpoint 10.1.0.2:8443 (pod api-2): ok',
      'endpoint 10.1.0.11:8443 (pod api-11): ok',
    ]);
  });

  test('may name pods in its evidence, also before a period', () => {
    const named = finding('endpoints/pod-crashing', 'Containers crash in pods', { evidence: ['api-2: exit code 1', 'see api-11.'] });
    expect(endpoints(three, [named]).map((line) => line.split(': ')[1])).toEqual([
      'ok',
      'broken endpoints/pod-crashing',
      'broken endpoints/pod-crashing',
    ]);
  });

  test.each([
    ['that names none', 'The certificate from the endpoints of the Service expired'],
    ['with a truncated title', 'The certificate from 10.1.0.1:8443 (pod api-1), 10.1.0...'],
  ])('%s belongs to all endpoints', (_, title) => {
    expect(endpoints(three, [finding('cert/expired', title)])).toHaveLength(3);
    for (const line of endpoints(three, [finding('cert/expired', title)])) expect(line).toMatch(/: broken cert\/expired$/);
  });

  test('without a hop of its kind belongs to the last hop', () => {
    expect(path({ apiService: seen({ ...api, service: undefined }) }, [finding('discovery/not-found')])).toEqual([
      'client context test: ok',
      'kube-apiserver https://127.0.0.1:6443: broken discovery/not-found',
    ]);
  });

  test('gives a hop the worst severity and each code once, without symptoms', () => {
    const symptom = finding('discovery/request-failed');
    const findings = [
      finding('service/missing', '', { severity: 'warning', explains: [symptom] }),
      finding('service/missing'),
      finding('endpoints/none', '', { severity: 'warning' }),
    ];
    expect(path({}, findings)).toEqual([
      ...before,
      'service wardle/api port 443: broken service/missing endpoints/none',
      'endpoint 10.1.0.1:8443 (pod api-0): ok',
    ]);
  });
});

test('hundreds of endpoints and findings', () => {
  const numbers = Array.from({ length: 500 }, (_, index) => index);
  const findings = numbers
    .slice(0, 50)
    .map((number) => finding('cert/expired', `The certificate from ${probeAt(number).at} expired on 2026-01-01`));
  const hops = requestPath({ ...healthy, endpoints: seen([]), probes: seen(numbers.map(probeAt)) }, cluster, findings);
  expect(hops.filter(({ state }) => state === 'broken')).toHaveLength(50);
});
