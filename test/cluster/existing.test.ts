import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apisvc, kubectl } from './harness/commands.ts';
import { emptyFolder, failure, getObject, kubectlOk } from './harness/projects.ts';

/** metrics-server as its release manifests deploy it: what apisvc meets of it. */
const installed = (namespace: string) => {
  const metadata = { name: 'metrics-server', namespace, labels: { 'k8s-app': 'metrics-server' } };
  const args = [
    '--cert-dir=/tmp',
    '--secure-port=10250',
    '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
    '--kubelet-use-node-status-port',
    '--metric-resolution=15s',
  ];
  const container = {
    name: 'metrics-server',
    image: 'registry.k8s.io/metrics-server/metrics-server:v0.9.0',
    args,
    ports: [{ name: 'https', containerPort: 10250, protocol: 'TCP' }],
    volumeMounts: [{ name: 'tmp-dir', mountPath: '/tmp' }],
  };
  const selector = { 'k8s-app': 'metrics-server' };
  const pod = { containers: [container], volumes: [{ name: 'tmp-dir', emptyDir: {} }] };
  const ports = [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 'https', appProtocol: 'https' }];
  const items = [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector, ports } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { selector: { matchLabels: selector }, template: { metadata: { labels: selector }, spec: pod } },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: 'v1beta1.metrics.k8s.io', labels: metadata.labels },
      spec: {
        service: { name: 'metrics-server', namespace },
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        insecureSkipTLSVerify: true,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    },
  ];
  return { apiVersion: 'v1', kind: 'List', items };
};

describe.each([
  ['kubectl apply', 'kubectl-client-side-apply', []],
  ['kubectl apply --server-side', 'kubectl', ['--server-side']],
])('metrics-server that was installed with %s', (_, owner, flags) => {
  const namespace = `existing-${owner}`;
  const dir = emptyFolder();
  const register = (...more: string[]) => apisvc(['register', '-C', dir, ...more]);

  beforeAll(async () => {
    await kubectlOk(['create', 'namespace', namespace]);
    await kubectlOk(['apply', ...flags, '-f', '-'], installed(namespace));
    const init = await apisvc(['init', dir, '--preset', 'metrics-server', '--existing', '--namespace', namespace, '--yes']);
    expect(init).toMatchObject({ exitCode: 0, stderr: '' });
  });

  afterAll(async () => {
    await kubectl(['delete', 'apiservice', 'v1beta1.metrics.k8s.io']);
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });

  test('its arguments and its insecureSkipTLSVerify are in the way, and nothing else is', async () => {
    const { exitCode, stdout, stderr } = await failure(register('--dry-run=server'));
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr.split('\n').filter((line) => line.includes('conflict with'))).toEqual([
      expect.stringContaining(
        `deployment/${namespace}/metrics-server .spec.template.spec.containers[name="metrics-server"].args: conflict with "${owner}"`,
      ),
      expect.stringContaining(`apiservice/v1beta1.metrics.k8s.io .spec.insecureSkipTLSVerify: conflict with "${owner}"`),
    ]);
  });

  test('--force-conflicts would add the certificate, and leave all else as it is', async () => {
    const before = await getObject('deployment', 'metrics-server', '-n', namespace);
    const { exitCode, stdout } = await register('--diff', '--force-conflicts');
    expect(exitCode).toBe(1);
    expect(stdout).not.toContain(`service/${namespace}/metrics-server\n@@`);
    const changes = stdout.split('\n').map((line) => line.trimEnd());
    expect(changes.filter((line) => /^-(?!--)/.test(line))).toEqual(['-  insecureSkipTLSVerify: true']);
    const added = changes.slice(changes.indexOf(`+++ deployment/${namespace}/metrics-server`) + 1);
    expect(added.filter((line) => /^\+(?!\+\+)/.test(line)).map((line) => line.replace(/(SHA-256 ).*/, '$1…'))).toEqual([
      '+            - --tls-cert-file=/var/run/serving-cert/tls.crt',
      '+            - --tls-private-key-file=/var/run/serving-cert/tls.key',
      '+            - mountPath: /var/run/serving-cert',
      '+              name: serving-cert',
      '+              readOnly: true',
      '+        - name: serving-cert',
      '+          secret:',
      '+            defaultMode: 420',
      '+            secretName: metrics-server-tls',
      '+  caBundle:',
      `+    - CN=metrics-server.${namespace}.svc CA, SHA-256 …`,
    ]);
    expect(await getObject('deployment', 'metrics-server', '-n', namespace)).toMatchObject({ metadata: before?.metadata });
  });
});
