import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apisvc, kubectl } from './harness/commands.ts';
import { installedMetricsServer } from './harness/installed.ts';
import { editConfiguration, emptyFolder, failure, getObject, kubectlOk } from './harness/projects.ts';

describe.each([
  ['kubectl apply', 'kubectl-client-side-apply', []],
  ['kubectl apply --server-side', 'kubectl', ['--server-side']],
])('metrics-server installed with %s', (_, owner, flags) => {
  const namespace = `existing-${owner}`;
  const dir = emptyFolder();
  const register = (...more: string[]) => apisvc(['register', '-C', dir, ...more]);
  /**
   * The spec of the Deployment. Its status is left out, because the Deployment controller updates
   * it at any time.
   */
  const deploymentSpec = async () => {
    // biome-ignore lint/suspicious/noExplicitAny: an object as kubectl prints it.
    const { metadata, spec }: any = await getObject('deployment', 'metrics-server', '-n', namespace);
    return { generation: metadata.generation, spec };
  };

  beforeAll(async () => {
    await kubectlOk(['create', 'namespace', namespace]);
    await kubectlOk(['apply', ...flags, '-f', '-'], installedMetricsServer(namespace));
    const init = await apisvc(['init', dir, '--preset', 'metrics-server-existing', '--namespace', namespace, '--yes']);
    expect(init).toMatchObject({ exitCode: 0, stderr: '' });
  });

  afterAll(async () => {
    await kubectl(['delete', 'apiservice', 'v1beta1.metrics.k8s.io']);
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  });

  test('only its arguments and insecureSkipTLSVerify cause conflicts', async () => {
    const { exitCode, stdout, stderr } = await failure(register('--dry-run=server'));
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr.split('\n').filter((line) => line.includes('conflict with'))).toEqual([
      expect.stringContaining(
        `deployment/${namespace}/metrics-server .spec.template.spec.containers[name="metrics-server"].args: conflict with "${owner}"`,
      ),
      expect.stringContaining(`apiservice/v1beta1.metrics.k8s.io .spec.insecureSkipTLSVerify: conflict with "${owner}"`),
    ]);
  });

  test('--diff --force-conflicts adds the certificate and the name of the project, and changes nothing else', async () => {
    const before = await deploymentSpec();
    const { exitCode, stdout } = await register('--diff', '--force-conflicts');
    expect(exitCode).toBe(1);
    const all = stdout.split('\n').map((line) => line.trimEnd());
    const former = '+    apisvc.dev/former: ';
    const record = [`+    apisvc.dev/registration: ${namespace}/metrics-server`, '+  annotations:'];
    expect(all.filter((line) => line === record[0])).toHaveLength(4);
    expect(all.filter((line) => line.startsWith(former))).toHaveLength(3);
    const changes = all.filter((line) => !record.includes(line) && !line.startsWith(former));
    const service = changes.slice(changes.indexOf(`+++ service/${namespace}/metrics-server`) + 1);
    expect(
      service
        .slice(
          0,
          service.findIndex((line) => line.startsWith('+++')),
        )
        .filter((line) => /^[-+] /.test(line)),
    ).toEqual([]);
    expect(changes.filter((line) => /^-(?!--)/.test(line))).toEqual(['-  insecureSkipTLSVerify: true']);
    const added = changes.slice(changes.indexOf(`+++ deployment/${namespace}/metrics-server`) + 1);
    expect(added.filter((line) => /^\+(?!\+\+)/.test(line)).map((line) => line.replace(/(SHA-256 ).*/, '$1…'))).toEqual([
      '+            - --tls-cert-file=/var/run/serving-cert/tls.crt',
      '+            - --tls-private-key-file=/var/run/serving-cert/tls.key',
      '+            - mountPath: /var/run/serving-cert',
      '+              name: apisvc-serving-cert',
      '+              readOnly: true',
      '+        - name: apisvc-serving-cert',
      '+          secret:',
      '+            defaultMode: 420',
      '+            secretName: metrics-server-tls',
      '+  caBundle:',
      `+    - CN=metrics-server.${namespace}.svc CA, SHA-256 …`,
    ]);
    expect(await deploymentSpec()).toEqual(before);
  });

  const argumentsOf = async (): Promise<string[]> => (await deploymentSpec()).spec.template.spec.containers[0].args;
  const addArgument = async (value: string): Promise<void> => {
    const patch = [{ op: 'add', path: '/spec/template/spec/containers/0/args/-', value }];
    await kubectlOk(['patch', 'deployment', 'metrics-server', '-n', namespace, '--type=json', '-p', JSON.stringify(patch)]);
  };
  /** The lines of the diff that add or remove arguments. */
  const argumentChanges = async (): Promise<string[]> => {
    const { stdout } = await register('--diff', '--force-conflicts');
    return stdout.split('\n').filter((line) => /^[-+] +- --/.test(line));
  };

  test('an argument that was added in the cluster stays, even with --force-conflicts', async () => {
    await addArgument('--kubelet-insecure-tls');
    expect(await argumentChanges()).toEqual([
      '+            - --tls-cert-file=/var/run/serving-cert/tls.crt',
      '+            - --tls-private-key-file=/var/run/serving-cert/tls.key',
    ]);
  });

  test('add and replace change only the arguments that they name', async () => {
    editConfiguration(dir, (document) =>
      document.setIn(['spec', 'server', 'existing', 'deployment', 'args'], {
        add: ['--kubelet-insecure-tls', '--v=2'],
        replace: ['--metric-resolution=30s'],
      }),
    );
    expect(await argumentChanges()).toEqual([
      '-            - --metric-resolution=15s',
      '+            - --metric-resolution=30s',
      '+            - --v=2',
      '+            - --tls-cert-file=/var/run/serving-cert/tls.crt',
      '+            - --tls-private-key-file=/var/run/serving-cert/tls.key',
    ]);
  });

  // kubectl transfers the ownership of client-side applied fields to the next manager that applies
  // with kubectl.
  if (flags.length > 0)
    test('a second run changes nothing and keeps an argument that was added in between', async () => {
      const kept = (await argumentsOf()).map((argument) => argument.replace('resolution=15s', 'resolution=30s'));
      const set = ['--v=2', '--tls-cert-file=/var/run/serving-cert/tls.crt', '--tls-private-key-file=/var/run/serving-cert/tls.key'];
      const part = { containers: [{ name: 'metrics-server', args: [...kept, ...set] }] };
      const applied = {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'metrics-server', namespace },
        spec: { template: { spec: part } },
      };
      await kubectlOk(['apply', '--server-side', '--field-manager=apisvc', '--force-conflicts', '-f', '-'], applied);
      expect(await argumentChanges()).toEqual([]);
      await addArgument('--theirs');
      expect(await argumentChanges()).toEqual([]);
      expect(await argumentsOf()).toContain('--theirs');
    });

  test('a missing Deployment has exit code 1', async () => {
    editConfiguration(dir, (document) => document.setIn(['spec', 'server', 'existing', 'deployment', 'name'], 'other'));
    const { exitCode, stderr } = await failure(register('--force-conflicts'));
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`Deployment "other" not found in namespace "${namespace}"`),
    });
  });
});
