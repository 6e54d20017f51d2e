import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type Backend, backendAddress, serveSilence, unusedPort } from './harness/backends.ts';
import { apisvc } from './harness/commands.ts';
import { emptyFolder, failure, kubectlOk, makeProject } from './harness/projects.ts';
import { userKubeconfig } from './harness/users.ts';

const backends: Backend[] = [];

afterAll(() => Promise.all(backends.map((backend) => backend.stop())));

describe('apisvc without a usable cluster', () => {
  const verify = ['verify', 'v1.apps', '--timeout', '20s'];

  test('reports that there is no kubeconfig', async () => {
    const { exitCode, stdout, stderr } = await failure(apisvc(verify, { env: { KUBECONFIG: '' } }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(
      /^error: no cluster is configured: .*\.kube\/config does not exist.*\nfix: .*--kubeconfig or KUBECONFIG to a kubeconfig file.\n$/,
    );
  });

  test('reports a kubeconfig that does not exist', async () => {
    const { exitCode, stderr } = await failure(apisvc([...verify, '--kubeconfig', '/none']));
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('kubeconfig /none not found') });
  });

  test('reports a context that does not exist', async () => {
    const { exitCode, stderr } = await failure(apisvc([...verify, '--context', 'nowhere']));
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('context "nowhere" not found in') });
    expect(stderr).toContain('Choose a context with --context: admin.');
  });

  const kubeconfigFor = async (port: number): Promise<string> => {
    const path = join(emptyFolder(), 'kubeconfig');
    const set = (...args: string[]) => kubectlOk(['config', `--kubeconfig=${path}`, ...args]);
    await set('set-cluster', 'down', `--server=https://${backendAddress}:${port}`);
    await set('set-context', 'down', '--cluster=down');
    await set('use-context', 'down');
    return path;
  };

  test('reports that the connection is refused', async () => {
    const kubeconfig = await kubeconfigFor(await unusedPort());
    const { exitCode, stdout, stderr } = await failure(apisvc([...verify, '--kubeconfig', kubeconfig]));
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: '' });
    expect(stderr).toMatch(
      /^error: failed to connect to the cluster at https:\S+ \(context "down"\): dial tcp \S+: connect: connection refused\nfix: .*\n$/,
    );
  });

  test.each([
    ['the timeout of the command', '2s', 124, 'timed out after 2s'],
    ['the timeout of one request', '60s', 3, '"): net/http: TLS handshake timeout'],
  ])('waits for a kube-apiserver that never responds until %s', async (_, timeout, code, message) => {
    const silent = await serveSilence();
    backends.push(silent);
    const command = ['verify', 'v1.apps', '--timeout', timeout, '--kubeconfig', await kubeconfigFor(silent.port)];
    const { exitCode, stderr } = await failure(apisvc(command));
    expect({ exitCode, stderr }).toMatchObject({ exitCode: code, stderr: expect.stringContaining(message) });
  });

  test('reports an expired client certificate', async () => {
    const env = { KUBECONFIG: await userKubeconfig('late', [], new Date(Date.now() - 3 * 86_400_000)) };
    for (const command of [verify, ['register', '-C', await makeProject('late', { address: backendAddress, port: 1 })]]) {
      const { exitCode, stderr } = await failure(apisvc(command, { env }));
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 3,
        stderr: expect.stringMatching(
          /rejects the credentials of user "late" \(context "late"\): the client certificate expired on \d{4}-/,
        ),
      });
    }
  });
});
