import { describe, expect, it } from 'vitest';
import { renderManifests } from '../../../src/manifests/render.ts';
import { issued, kindsOf, objectOf, registrationOf } from './fixture.ts';

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly securityContext: Record<string, unknown>;
  readonly [key: string]: unknown;
}

interface Pod {
  readonly containers: readonly [Container, ...Container[]];
  readonly volumes: readonly Record<string, unknown>[];
  readonly [key: string]: unknown;
}

const render = (server: string, rest?: string) =>
  renderManifests(registrationOf(`    image: x\n${server}`, rest), issued, { secrets: 'omit' });

const podOf = (server: string, rest?: string): Pod =>
  (objectOf(render(server, rest), 'Deployment').spec as { template: { spec: Pod } }).template.spec;

const hardened = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };

describe('the hardened pod', () => {
  it('is the default of every container', () => {
    const pod = podOf('    sidecars: [{name: etcd, image: e}]\n    initContainers: [{name: i, image: i}]');
    for (const container of [...pod.containers, ...(pod.initContainers as Container[])])
      expect(container.securityContext).toEqual(hardened);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } });
  });

  it('yields to the configuration field by field; null removes a field', () => {
    const pod = podOf(
      '    securityContext: {capabilities: {add: [NET_BIND_SERVICE]}}\n    podSecurityContext: {runAsUser: 1000, fsGroup: null}',
    );
    expect(pod.containers[0].securityContext).toEqual({ ...hardened, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } });
    expect(pod.securityContext).toEqual({
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });
});

describe('the sleep before a server stops', () => {
  const hooksOf = (server: string) => podOf(server).containers[0].lifecycle;
  const sleep = (seconds: number) => ({ preStop: { sleep: { seconds } } });

  it('is 5 seconds by default', () => expect(hooksOf('')).toEqual(sleep(5)));

  it.each([
    [60, sleep(5)],
    [7, sleep(3)],
    [1, undefined],
    [0, undefined],
  ])('takes at most half of a grace period of %i seconds', (grace, expected) => {
    expect(hooksOf(`    terminationGracePeriodSeconds: ${grace}`)).toEqual(expected);
  });

  it('is left out where the old pods stop first', () => expect(hooksOf('    strategy: {type: Recreate}')).toBeUndefined());

  it('yields to the hooks of the configuration', () => {
    expect(hooksOf('    lifecycle: {}')).toBeUndefined();
    const preStop = { httpGet: { path: '/drain', port: 'https' } };
    expect(hooksOf(`    lifecycle: ${JSON.stringify({ preStop })}`)).toEqual({ preStop });
  });
});

describe('the certificate', () => {
  const args = (certificates: string) => podOf('    args: [--a]', `  certificates:\n${certificates}`).containers[0].args;

  it.each([
    ['equals', ['--a', '--tls-cert-file=/certs/tls.crt', '--tls-private-key-file=/certs/tls.key']],
    ['separate', ['--a', '--tls-cert-file', '/certs/tls.crt', '--tls-private-key-file', '/certs/tls.key']],
    ['none', ['--a']],
  ])('is passed by flags: %s', (flags, expected) => {
    expect(args(`    mountPath: /certs\n    flags: ${flags}`)).toEqual(expected);
  });

  it('is mounted as a whole, read-only, under the names that the server wants', () => {
    const pod = podOf(
      '',
      '  certificates:\n    secretName: mine\n    mountPath: /certs/\n    files: {cert: apiserver.crt, key: apiserver.key}',
    );
    expect(pod.containers[0].args).toEqual(['--tls-cert-file=/certs/apiserver.crt', '--tls-private-key-file=/certs/apiserver.key']);
    expect(pod.containers[0].volumeMounts).toEqual([{ name: 'serving-cert', mountPath: '/certs/', readOnly: true }]);
    expect(pod.volumes).toEqual([
      {
        name: 'serving-cert',
        secret: {
          secretName: 'mine',
          defaultMode: 0o440,
          items: [
            { key: 'ca.crt', path: 'ca.crt' },
            { key: 'tls.crt', path: 'apiserver.crt' },
            { key: 'tls.key', path: 'apiserver.key' },
          ],
        },
      },
    ]);
  });
});

describe('probes', () => {
  const https = (path: string) => ({ httpGet: { path, port: 'https', scheme: 'HTTPS' } });

  it('ask what k8s.io/apiserver answers, by default', () => {
    const [server] = podOf('').containers;
    expect(server.livenessProbe).toEqual(https('/livez'));
    expect(server.readinessProbe).toEqual({ ...https('/readyz'), periodSeconds: 2, successThreshold: 2, timeoutSeconds: 5 });
    expect(server).not.toHaveProperty('startupProbe');
  });

  it('can have another path, more fields, another action, or be left out', () => {
    const [server] = podOf(
      '    probes: {startup: {path: /s, periodSeconds: 2}, liveness: false, readiness: {tcpSocket: {port: 1}}}',
    ).containers;
    expect(server.startupProbe).toEqual({ ...https('/s'), periodSeconds: 2 });
    expect(server).not.toHaveProperty('livenessProbe');
    expect(server.readinessProbe).toEqual({ tcpSocket: { port: 1 } });
  });
});

describe('replicas', () => {
  it('are rendered only where they are configured, zero too, so that an autoscaler can own the field', () => {
    expect(objectOf(render(''), 'Deployment').spec).not.toHaveProperty('replicas');
    expect(objectOf(render('    replicas: 3'), 'Deployment').spec).toMatchObject({ replicas: 3 });
    expect(objectOf(render('    replicas: 0'), 'Deployment').spec).toMatchObject({ replicas: 0 });
  });
});

describe('what is handed through', () => {
  it('adds volumes, mounts, ports and containers behind its own', () => {
    const pod = podOf(`
    volumes: [{name: tmp, emptyDir: {}}]
    volumeMounts: [{name: tmp, mountPath: /tmp}]
    extraPorts: [{name: metrics, containerPort: 9090}]
    sidecars: [{name: etcd, image: e}]
    port: 6443
    hostNetwork: true
    tolerations: [{operator: Exists}]`);
    expect(pod.volumes).toMatchObject([{ name: 'serving-cert' }, { name: 'tmp', emptyDir: {} }]);
    expect(pod.containers[0].ports).toEqual([
      { name: 'https', containerPort: 6443 },
      { name: 'metrics', containerPort: 9090 },
    ]);
    expect(pod.containers[0].volumeMounts).toMatchObject([{ name: 'serving-cert' }, { name: 'tmp' }]);
    expect(pod.containers.map(({ name }) => name)).toEqual(['example', 'etcd']);
    expect(pod).toMatchObject({ hostNetwork: true, tolerations: [{ operator: 'Exists' }] });
  });

  it('writes shared pieces of the configuration out in full', () => {
    const [deployment] = render('    env: [&a {name: A, value: on}]\n    sidecars: [{name: s, image: s, env: [*a]}]').filter(
      ({ object }) => object.kind === 'Deployment',
    );
    expect(deployment?.text).not.toMatch(/[&*]a/);
    expect(deployment?.text.match(/value: "on"/g)).toHaveLength(2);
  });

  it('replaces resources and strategy as a whole, and drops them when empty', () => {
    expect(podOf('    resources: {limits: {cpu: 1}}').containers[0].resources).toEqual({ limits: { cpu: 1 } });
    expect(podOf('    resources: {}').containers[0]).not.toHaveProperty('resources');
    expect(objectOf(render('    strategy: {type: Recreate}'), 'Deployment').spec).toMatchObject({ strategy: { type: 'Recreate' } });
  });

  it("keeps the selector's labels whatever labels the configuration adds", () => {
    const { spec } = objectOf(render('    podLabels: {app.kubernetes.io/name: other, team: a}'), 'Deployment') as unknown as {
      spec: { selector: { matchLabels: object }; template: { metadata: { labels: object } } };
    };
    expect(spec.template.metadata.labels).toMatchObject({ ...spec.selector.matchLabels, team: 'a' });
  });
});

describe('objects on request', () => {
  it('makes a PodDisruptionBudget', () => {
    const budget = objectOf(render('    podDisruptionBudget: {minAvailable: 50%}'), 'PodDisruptionBudget');
    expect(budget.spec).toEqual({ minAvailable: '50%', selector: { matchLabels: { 'app.kubernetes.io/name': 'example' } } });
    expect(kindsOf(render(''))).not.toContain('PodDisruptionBudget');
  });

  it('uses a ServiceAccount that exists, and binds it', () => {
    const manifests = render('    serviceAccount: {name: theirs, create: false}');
    expect(kindsOf(manifests)).not.toContain('ServiceAccount');
    expect(objectOf(manifests, 'RoleBinding').subjects).toEqual([{ kind: 'ServiceAccount', name: 'theirs', namespace: 'example' }]);
  });

  it('adds rules for the server and for users', () => {
    const manifests = render(`
    rbac:
      rules: [{apiGroups: [""], resources: [pods], verbs: [get]}]
      aggregate: {to: [view], rules: [{apiGroups: [example.com], resources: [things], verbs: [list]}]}`);
    const roles = manifests.filter(({ object }) => object.kind === 'ClusterRole').map(({ object }) => object);
    expect(roles).toMatchObject([
      { metadata: { name: 'example:example' }, rules: [{ resources: ['pods'] }] },
      {
        metadata: { name: 'example:example:users', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
        rules: [{ resources: ['things'] }],
      },
    ]);
  });

  it('grants permissions on the API to clients', () => {
    const manifests = render(`
    rbac:
      grant:
        to: [{kind: ServiceAccount, name: controller, namespace: theirs}, {kind: Group, name: team}]
        rules: [{apiGroups: [example.com], resources: [things], verbs: [create]}]`);
    const name = 'example:example:clients';
    expect(objectOf(manifests, 'ClusterRole')).toMatchObject({ metadata: { name }, rules: [{ verbs: ['create'] }] });
    expect(
      manifests.map(({ object }) => object).find(({ kind, metadata }) => kind === 'ClusterRoleBinding' && metadata.name === name),
    ).toMatchObject({
      roleRef: { kind: 'ClusterRole', name },
      subjects: [
        { kind: 'ServiceAccount', name: 'controller', namespace: 'theirs' },
        { kind: 'Group', name: 'team', apiGroup: 'rbac.authorization.k8s.io' },
      ],
    });
  });

  it('makes ConfigMaps, whose content the pods follow', () => {
    const configured = (text: string) =>
      render(`    configMaps: [{name: settings, data: {config.yaml: "${text}"}}]\n    podAnnotations: {team: a}`);
    const annotations = (text: string) =>
      (objectOf(configured(text), 'Deployment').spec as { template: { metadata: { annotations: Record<string, string> } } }).template
        .metadata.annotations;
    expect(objectOf(configured('a: 1'), 'ConfigMap')).toMatchObject({
      metadata: { name: 'settings', namespace: 'example', labels: { 'app.kubernetes.io/managed-by': 'apisvc' } },
      data: { 'config.yaml': 'a: 1' },
    });
    expect(annotations('a: 1')).toEqual({ team: 'a', 'checksum/config': expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(annotations('a: 1')).toEqual(annotations('a: 1'));
    expect(annotations('a: 2')).not.toEqual(annotations('a: 1'));
    expect(JSON.stringify(render(''))).not.toContain('checksum');
  });

  it.each([
    ['ingress: [{ports: [{port: https}]}]', { policyTypes: ['Ingress'], ingress: [{ ports: [{ protocol: 'TCP', port: 'https' }] }] }],
    ['egress: [{}]', { policyTypes: ['Egress'], egress: [{}] }],
    ['ingress: []', { policyTypes: ['Ingress'] }],
    ['ingress: [{}], egress: []', { policyTypes: ['Ingress', 'Egress'], ingress: [{}] }],
  ])('makes a NetworkPolicy of its pods: {%s}', (rules, expected) => {
    const manifests = render(`    networkPolicy: {${rules}}`);
    const podSelector = { matchLabels: { 'app.kubernetes.io/name': 'example' } };
    expect(objectOf(manifests, 'NetworkPolicy').spec).toEqual({ podSelector, ...expected });
    expect(kindsOf(manifests).indexOf('NetworkPolicy')).toBeLessThan(kindsOf(manifests).indexOf('Deployment'));
  });
});
