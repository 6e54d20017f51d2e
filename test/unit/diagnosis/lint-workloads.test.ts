import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import { offlineSnapshot } from '../../../src/snapshot/offline/snapshot.ts';
import {
  account,
  apiService,
  binding,
  clusterBinding,
  deployment,
  namespace,
  now,
  object,
  service,
} from '../snapshot/offline/manifests.ts';

/** Faults of the Service, the workload and their RBAC in published manifests. */

const registered = apiService({ insecureSkipTLSVerify: true });

function lint(...objects: readonly object[]) {
  const text = objects.map((each) => JSON.stringify(each)).join('\n---\n');
  const { snapshot, place } = offlineSnapshot([{ file: 'a.yaml', text }], now);
  const { apis, files } = diagnose(snapshot, { place });
  const findings = [...(files?.findings ?? []), ...apis.flatMap((api) => api.findings)];
  return {
    codes: findings.map(({ severity, code }) => `${severity} ${code}`).filter((each) => !each.endsWith('insecure-skip-tls-verify')),
    findings,
    skipped: files?.notChecked ?? [],
  };
}

describe('the protocol of the port', () => {
  const udp = { port: 443, targetPort: 8443, protocol: 'UDP' };

  test('must be TCP', () => {
    const { codes, findings } = lint(registered, service({ ports: [udp] }), deployment());
    expect(codes).toEqual(['error service/not-tcp']);
    expect(findings[0]?.fix).toContain('Set spec.ports[0].protocol of the Service to TCP in a.yaml:');
  });

  test.each([
    ['is TCP by default', [{ port: 443, targetPort: 8443 }]],
    ['is TCP beside UDP with the same number', [udp, { port: 443, targetPort: 8443, protocol: 'TCP' }]],
  ])('%s', (_, ports) => {
    expect(lint(registered, service({ ports }), deployment()).codes).toEqual([]);
  });
});

describe('the replicas', () => {
  const scaled = (name: string, replicas: unknown) => {
    const { spec, ...each } = deployment({}, {}, { name }) as { readonly spec: object };
    return { ...each, spec: { ...spec, replicas } };
  };

  test.each<[string, readonly object[], readonly string[]]>([
    ['0', [scaled('api', 0)], ['warning endpoints/no-replicas']],
    ['null is 1', [scaled('api', null)], []],
    ['0 of one workload of two', [scaled('api', 0), scaled('other', 1)], []],
  ])('%s', (_, workloads, codes) => {
    expect(lint(registered, service(), ...workloads).codes).toEqual(codes);
  });
});

describe('the selector of a workload', () => {
  const labels = { app: 'api', tier: 'web' };
  const workload = (
    selector: unknown,
    [apiVersion, kind]: readonly [string, string] = ['apps/v1', 'Deployment'],
    container = { image: 'a' },
  ) =>
    object(
      apiVersion,
      kind,
      { name: 'w', namespace: 'other' },
      { spec: { selector, template: { metadata: { labels }, spec: { containers: [container] } } } },
    );
  const expression = (operator: string, ...values: readonly string[]) => ({ matchExpressions: [{ key: 'tier', operator, values }] });
  const rejected = ['error manifest/workload-selector'];

  test.each<[string, object, readonly string[]]>([
    ['with another value', workload({ matchLabels: { app: 'apx' } }), rejected],
    ['with a label that the template lacks', workload({ matchLabels: { app: 'api', x: 'y' } }), rejected],
    ['that is missing', workload(undefined), rejected],
    ['that is empty', workload({}), rejected],
    ['In other values', workload(expression('In', 'db')), rejected],
    ['NotIn the value', workload(expression('NotIn', 'web')), rejected],
    ['DoesNotExist', workload(expression('DoesNotExist')), rejected],
    ['of a ReplicationController', workload({ app: 'apx' }, ['v1', 'ReplicationController']), rejected],
    ['that matches', workload({ matchLabels: labels }), []],
    ['In the value', workload(expression('In', 'web', 'db')), []],
    ['Exists', workload(expression('Exists')), []],
    ['missing in a patch', workload(undefined, undefined, {} as never), []],
    ['of a patch that has other labels', workload({ matchLabels: { x: 'y' } }, undefined, {} as never), []],
    ['missing in a ReplicationController', workload(undefined, ['v1', 'ReplicationController']), []],
    ['of a Deployment of another group', workload({ matchLabels: { app: 'apx' } }, ['example.com/v1', 'Deployment']), []],
  ])('%s', (_, given, codes) => {
    expect(lint(registered, given).codes).toEqual(codes);
  });

  test('is one finding, which names the workloads', () => {
    const [finding] = lint(registered, workload({ matchLabels: { app: 'apx' } })).findings;
    expect(finding?.evidence).toEqual([
      'Deployment w (a.yaml:3): spec.selector has {"matchLabels":{"app":"apx"}}, the pod template has the labels {"app":"api","tier":"web"}',
    ]);
  });
});

describe('RBAC for another ServiceAccount, of a server whose flags do not tell whether it needs it', () => {
  const server = deployment({ serviceAccountName: undefined }, { args: ['--config=/etc/api.toml'] });
  const other = [{ ...account, name: 'default', namespace: 'default' }];

  test('is a warning', () => {
    const rbac = [
      clusterBinding('system:auth-delegator', other),
      binding('kube-system', 'Role', 'extension-apiserver-authentication-reader', other),
    ];
    expect(lint(registered, service(), server, ...rbac).codes.toSorted()).toEqual([
      'warning auth/delegator-missing',
      'warning auth/reader-missing',
    ]);
  });

  test('is no finding if the account is bound to a part of it', () => {
    const rules = [{ apiGroups: ['authentication.k8s.io'], resources: ['tokenreviews'], verbs: ['create'] }];
    const role = object('rbac.authorization.k8s.io/v1', 'ClusterRole', { name: 'r' }, { rules });
    const bound = clusterBinding('r', [{ ...account, name: 'default' }]);
    expect(lint(registered, service(), server, role, bound).codes).toEqual([]);
  });
});

test.each([
  ['external.metrics.k8s.io', 'v1beta2', ['warning registration/unknown-version']],
  ['custom.metrics.k8s.io', 'v1beta2', []],
])('%s %s: %j', (group, version, codes) => {
  expect(lint(apiService({ group, version, insecureSkipTLSVerify: true }, { name: `${version}.${group}` })).codes).toEqual(codes);
});

test('a CustomResourceDefinition of v1beta1 cannot be applied', () => {
  const { codes, findings } = lint(registered, object('apiextensions.k8s.io/v1beta1', 'CustomResourceDefinition', { name: 'a.b' }));
  expect(codes).toEqual(['error manifest/removed-version']);
  expect(findings[0]?.fix).toMatch(
    /^Set apiVersion to apiextensions\.k8s\.io\/v1 in .* requires spec\.versions with a schema for each version\.$/,
  );
});

test('an object without a name is not checked, except one that kube-apiserver names', () => {
  const nameless = object('v1', 'Service', { name: null, namespace });
  const generated = object('v1', 'Pod', { generateName: 'a-' });
  expect(lint(registered, nameless, generated, object('v1', 'ConfigMap', {})).skipped).toEqual([
    { what: 'Service (no name) of v1 (a.yaml:3)', why: 'skipped: it has no metadata.name' },
  ]);
});
