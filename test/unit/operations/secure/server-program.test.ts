import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { RunningServer } from '../../../../src/operations/secure/find.ts';
import { findProgram, managerNotes } from '../../../../src/operations/secure/server-program.ts';

const deployment = (container: object, metadata: object = {}): KubeObject =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'server', namespace: 'example', ...metadata },
    spec: { template: { spec: { containers: [{ name: 'main', ports: [{ name: 'https', containerPort: 8443 }], ...container }] } } },
  }) as unknown as KubeObject;

const running = (deployments: readonly KubeObject[], otherOwners: readonly string[] = []) =>
  ({ deployments, otherOwners, targetPort: 'https' }) as unknown as RunningServer;

const find = (container: object) => findProgram(running([deployment(container)]), 'example/server');

describe('the program that gets the certificate', () => {
  test.each([[['--secure-port=8443']], [['--cert-dir=/tmp']], [['--tls-cert-file', '/a']], [['--requestheader-client-ca-file=/a']]])(
    'is found by %j',
    (args) => {
      expect(find({ args })).toMatchObject({ container: 'main', mountPath: '/var/run/serving-cert' });
    },
  );

  test('gets another directory where one is mounted already', () => {
    const volumeMounts = [{ name: 'theirs', mountPath: '/var/run/serving-cert/' }];
    expect(find({ args: ['--cert-dir=/tmp'], volumeMounts }).mountPath).toBe('/var/run/apisvc/serving-cert');
  });

  test('keeps the directory of an earlier run', () => {
    const volumeMounts = [{ name: 'apisvc-serving-cert', mountPath: '/var/run/serving-cert' }];
    expect(find({ args: ['--cert-dir=/tmp'], volumeMounts }).mountPath).toBe('/var/run/serving-cert');
  });

  test.each([
    ['no flags that are known', { args: ['--listen=:8443'] }, /it has none of --secure-port, --tls-cert-file and --cert-dir/],
    ['a shell', { command: ['/bin/sh', '-c'], args: ['exec server --secure-port=8443'] }, /a shell starts the server/],
    ['a certificate by server name', { args: ['--secure-port=1', '--tls-sni-cert-key=a,b'] }, /--tls-sni-cert-key selects/],
  ])('with %s is refused', (_, container, words) => {
    expect(() => find(container)).toThrow(words);
  });

  test('that is not one Deployment is refused with its owners', () => {
    expect(() => findProgram(running([], ['StatefulSet db']), 'example/server')).toThrow(/but to StatefulSet db/);
    const both = [deployment({}), deployment({}, { name: 'canary' })];
    expect(() => findProgram(running(both), 'example/server')).toThrow(/but to Deployment server, Deployment canary/);
  });
});

describe('whoever may undo the change', () => {
  const notes = (metadata: object): string => managerNotes(deployment({}, metadata), 'server-tls').join();

  test.each([
    [
      'Helm',
      { annotations: { 'meta.helm.sh/release-name': 'one' } },
      /^Helm release one manages deployment\/example\/server: .*tls.existingSecret.name=server-tls/,
    ],
    ['Helm', { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, /^Helm manages deployment\/example\/server/],
    ['Argo CD', { annotations: { 'argocd.argoproj.io/tracking-id': 'x' } }, /^Argo CD manages/],
    ['Flux', { labels: { 'kustomize.toolkit.fluxcd.io/name': 'x' } }, /^Flux manages/],
    ['kubectl apply', { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }, /was created with "kubectl apply": /],
  ])('is named: %s', (_, metadata, words) => {
    expect(notes(metadata)).toMatch(words);
  });

  test('is nobody for a Deployment without marks', () => {
    expect(notes({})).toBe('');
  });
});
