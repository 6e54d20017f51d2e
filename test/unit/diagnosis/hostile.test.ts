import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import { diagnosisJson } from '../../../src/report/json.ts';
import { diagnosisText } from '../../../src/report/text.ts';
import { offlineSnapshot } from '../../../src/snapshot/offline/snapshot.ts';
import type { ApiSnapshot, ContainerView, PodView, Snapshot } from '../../../src/snapshot/types.ts';
import { colorless, escapes } from '../report/colors.ts';
import {
  answers,
  api,
  endpoint,
  fails,
  healthy,
  leafCertificate,
  now,
  readyPod,
  seen,
  serves,
  service,
  snapshotOf,
  unavailable,
  unseen,
} from './snapshots.ts';

/**
 * The content of a snapshot is not trusted: servers, certificates and manifests may contain
 * anything.
 */

const nasty = fc.oneof(
  fc.constantFrom('\u001b[2J\u001b]0;owned\u0007', '\u009b31m', '\u202egnp.exe', '\r\nhealthy', '\u0000', '{name}', '$&', '__proto__'),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

const condition = (message: string, reason: string) => seen({ ...unavailable(message, reason), labels: { [reason]: message } });

const podOf = (name: string, state: ContainerView['state'] = { kind: 'running', startedAt: name }): PodView => ({
  ...readyPod,
  name,
  ready: false,
  containers: [{ name, init: false, ready: false, restarts: 3, state, before: undefined }],
});

const anySnapshot: fc.Arbitrary<ApiSnapshot> = fc
  .record({
    a: nasty,
    b: nasty,
    status: fc.integer({ min: 100, max: 599 }),
    caBundle: fc.oneof(nasty, fc.base64String({ maxLength: 200 }), fc.constant(api.caBundle)),
    shape: fc.integer({ min: 0, max: 13 }),
  })
  .map(({ a, b, status, caBundle, shape }): ApiSnapshot => {
    const changes: readonly Partial<ApiSnapshot>[] = [
      { apiService: condition(a, b), aggregated: answers(status, b) },
      { apiService: seen({ ...api, caBundle }), aggregated: answers(status, a) },
      { probes: seen([serves({ ...leafCertificate, subject: a, issuer: b, dnsNames: [a, b], commonName: b })]) },
      { probes: seen([fails('other', a), { ...fails('refused', b), at: a }]), aggregated: answers(503, b) },
      { endpoints: seen([{ ...endpoint, address: a, pod: b, ready: false }]), service: seen({ ...service, selector: { [a]: b } }) },
      { service: seen({ ...service, ports: [{ name: a, port: 1, targetPort: b }] }), endpoints: unseen(a), aggregated: unseen(b) },
      { name: a, apiService: { state: 'absent' } },
      { pods: seen([podOf(a, { kind: 'waiting', reason: 'ErrImagePull', message: b }), { ...podOf(b), unscheduled: a }]) },
      {
        pods: seen([{ ...podOf(a, { kind: 'ended', exitCode: status, reason: b, message: a }), lastLogLine: seen(b), events: unseen(a) }]),
      },
      {
        server: seen({
          pod: a,
          serviceAccount: b,
          flags: [a, `--secure-port=${b}`, b],
          secrets: [{ name: a, mountPath: b, subPath: true }],
          startedAt: a,
        }),
        secret: seen({
          name: a,
          type: b,
          certificates: [{ ...leafCertificate, subject: b, notAfter: a }],
          keyMatches: false,
          pods: [a],
          otherKeys: [a, b, 'ca.key'],
        }),
      },
      {
        requestHeader: seen({
          clientCa: [{ ...leafCertificate, notAfter: a }],
          allowedNames: [a],
          usernameHeaders: [b],
          hasClientCa: true,
          holdsPrivateKey: true,
        }),
        delegation: seen({ account: a, mayReview: false, mayReadAuthentication: false }),
        aggregated: answers(status, b),
      },
      {
        group: seen({ path: a, status: 200, body: b }),
        openApi: seen({ path: b, status, body: a }),
        serviceProxy: answers(status, a),
        anonymous: answers(status, a),
        forged: answers(200, b),
        asUser: seen({ path: a, status, body: b, user: a, allowed: false }),
      },
      {
        neighbours: seen([{ name: a, group: b, groupPriorityMinimum: status, versionPriority: 1, service: a }]),
        apiService: seen({
          ...api,
          groupPriorityMinimum: 20_000,
          annotations: { [a]: b, 'cert-manager.io/inject-ca-from': a },
          caBundle: '',
        }),
        aggregated: answers(503, b),
      },
      { secret: { state: 'absent' }, requestHeader: { state: 'absent' }, forged: unseen(a), delegation: unseen(b), aggregated: unseen(a) },
    ];
    return { ...healthy, ...changes[shape] };
  });

describe('a hostile snapshot', () => {
  test('has a diagnosis, and prints no control characters', () => {
    fc.assert(
      fc.property(anySnapshot, (snapshot) => {
        const text = diagnosisText(diagnose(snapshotOf(snapshot)), colorless);
        expect(text).not.toMatch(escapes);
      }),
      { numRuns: 200 },
    );
  });

  test('has the same diagnosis when it is read from a file', () => {
    fc.assert(
      fc.property(anySnapshot, (each) => {
        const snapshot = snapshotOf(each);
        const kept = JSON.parse(JSON.stringify(snapshot)) as Snapshot;
        expect(diagnosisJson(diagnose(kept))).toBe(diagnosisJson(diagnose(snapshot)));
      }),
      { numRuns: 100 },
    );
  });

  test('with a body of a megabyte gives a short report', () => {
    const body = 'x509: certificate is valid for \u001b[31m'.repeat(30_000);
    const everywhere = {
      serviceProxy: answers(503, body),
      group: answers(200, body),
      anonymous: answers(200, body),
      forged: answers(200, body),
    };
    const text = diagnosisText(
      diagnose(snapshotOf({ ...healthy, ...everywhere, apiService: condition(body, body), aggregated: answers(503, body) })),
      colorless,
    );
    expect(text.length).toBeLessThan(10_000);
    expect(text).not.toMatch(escapes);
  });
});

describe('hostile manifests', () => {
  const textOf = (objects: readonly object[]): string => objects.map((object) => JSON.stringify(object)).join('\n---\n');
  const around = (spec: unknown, metadata: unknown = {}): string =>
    textOf([
      { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1.example.com', ...(metadata as object) }, spec },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'api', namespace: 'a' }, spec },
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'api', namespace: 'a' }, spec },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls', namespace: 'a' }, data: spec },
    ]);
  /** A server, and any other objects around it. */
  const besides = (spec: unknown, metadata: unknown): string =>
    textOf([
      {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name: 'v1.example.com', annotations: { 'cert-manager.io/inject-ca-from': 'a/tls' } },
        spec: { group: 'example.com', version: 'v1', service: { name: 'api', namespace: 'a' } },
      },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'api', namespace: 'a' }, spec: { selector: { app: 'api' } } },
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'api', namespace: 'a', labels: { app: 'api' } }, spec },
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'api', namespace: 'a', ...(metadata as object) }, spec },
      { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'api', namespace: 'a' }, template: spec },
      { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', metadata: { name: 'tls', ...(metadata as object) }, spec },
      ...['ClusterRole', 'Role', 'ClusterRoleBinding', 'RoleBinding'].map((kind) => ({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind,
        metadata: { name: 'api', namespace: 'a', ...(metadata as object) },
        roleRef: { kind: 'ClusterRole', name: 'api' },
        subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'a' }],
        rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
        ...(spec as object),
      })),
    ]);

  const json = fc.jsonValue({ maxDepth: 4 });
  const spec = fc.oneof(
    json,
    fc.record(
      {
        service: fc.oneof(json, fc.constant({ name: 'api', namespace: 'a' })),
        caBundle: json,
        ports: json,
        selector: json,
        template: fc.oneof(json, fc.constant({ spec: { volumes: [null, { secret: { secretName: 'tls' } }] } })),
        'tls.crt': json,
      },
      { requiredKeys: ['service'] },
    ),
  );
  const others = fc.oneof(
    json,
    fc.record(
      {
        volumes: fc.oneof(json, fc.constant([null, { name: 'v', secret: {} }, { name: 'w', projected: { sources: [{}] } }])),
        containers: fc.oneof(json, fc.constant([{ args: ['--tls-cert-file=/a'], env: [null, {}], volumeMounts: [{}], ports: [{}] }])),
        roleRef: json,
        subjects: json,
        rules: fc.oneof(json, fc.constant([null, { verbs: 'x' }])),
        aggregationRule: fc.oneof(json, fc.constant({ clusterRoleSelectors: [{ matchLabels: { a: null } }] })),
        dnsNames: json,
        secretName: json,
      },
      { requiredKeys: [] },
    ),
  );

  test('have a diagnosis, whatever they contain', () => {
    fc.assert(
      fc.property(spec, json, (spec, labels) => {
        const text = diagnosisText(
          diagnose(offlineSnapshot([{ file: 'a.yaml', text: around(spec, { labels }) }], now).snapshot),
          colorless,
        );
        expect(text).not.toMatch(escapes);
      }),
      { numRuns: 500 },
    );
  });

  test('of the server and its permissions have a diagnosis, whatever they contain', () => {
    fc.assert(
      fc.property(others, json, (spec, labels) => {
        const { snapshot } = offlineSnapshot([{ file: 'a.yaml', text: besides(spec, { labels }) }], now);
        expect(diagnosisText(diagnose(snapshot), colorless)).not.toMatch(escapes);
      }),
      { numRuns: 200 },
    );
  });
});
