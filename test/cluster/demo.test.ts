import { copyFileSync } from 'node:fs';
import { get } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { projectFiles } from '../../src/project/project.ts';
import { demoProgram } from '../../src/sandbox/demo/program.ts';
import type { RunningContainer } from '../../src/sandbox/shared/program.ts';
import { backendAddress, unusedPort } from './harness/backends.ts';
import { apisvc, kubectl } from './harness/commands.ts';
import { codesOf, emptyFolder, expectListed, kubectlOk, moveOutside, verifyJson } from './harness/projects.ts';
import { deleteApiServices } from './harness/registrations.ts';
import { serviceAccountKubeconfig, userKubeconfig } from './harness/users.ts';
import { allowReader, reader } from './laboratory/expect-findings.ts';

const apiService = 'v1alpha1.demo.apisvc.dev';
const path = '/apis/demo.apisvc.dev/v1alpha1';
const namespace = 'demo';

/** The demo server behind a real kube-apiserver, to which it delegates. */
describe('the demo server', () => {
  const dir = emptyFolder();
  const served = emptyFolder();
  let server: RunningContainer | undefined;
  let log = '';

  /** Copies the certificates of the project as a kubelet mounts them. */
  const mountCertificates = (): void => {
    const { certificate, key } = projectFiles(dir);
    copyFileSync(certificate, join(served, 'tls.crt'));
    copyFileSync(key, join(served, 'tls.key'));
  };

  const start = async (port: number, kubeconfig: string): Promise<RunningContainer> =>
    demoProgram.start({
      namespace,
      pod: 'demo',
      name: 'demo',
      command: [],
      args: [`--secure-port=${port}`, `--tls-cert-file=${join(served, 'tls.crt')}`, `--tls-private-key-file=${join(served, 'tls.key')}`],
      env: {},
      kubeconfig,
      mounts: {},
      podAddress: backendAddress,
      port,
      declaredPort: port,
      log: (text) => {
        log += text;
      },
    });

  beforeAll(async () => {
    const port = await unusedPort();
    const init = await apisvc(['init', dir, '--preset', 'demo', '--yes']);
    expect(init).toMatchObject({ exitCode: 0, stderr: '' });
    moveOutside(dir, { address: backendAddress, port });
    mountCertificates();
    const { stdout: manifests } = await apisvc(['render', '-C', dir, '-o', 'yaml', '--secrets', 'include']);
    const objects = parseAllDocuments(manifests).map((document) => document.toJS());
    const access = objects.filter(({ kind }) => ['Namespace', 'ServiceAccount', 'ClusterRoleBinding', 'RoleBinding'].includes(kind));
    await kubectlOk(['apply', '--server-side', '--field-manager=apisvc', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: access });
    server = await start(port, await serviceAccountKubeconfig(namespace, 'demo'));
    await vi.waitUntil(() => /^serving /m.test(log), { timeout: 60_000 });
    const { exitCode, stderr } = await apisvc(['register'], { cwd: dir });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    await expectListed(stderr, ['hosts']);
  });

  afterAll(async () => {
    await deleteApiServices(apiService);
    await server?.stop();
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
    const labels = 'app.kubernetes.io/managed-by=apisvc,app.kubernetes.io/name=demo';
    await kubectl(['delete', 'clusterroles,clusterrolebindings,rolebindings', '-n', 'kube-system', '-l', labels]);
    await kubectl(['delete', 'clusterrolebinding', 'demo-viewer', '--ignore-not-found']);
  });

  test('is healthy, and rejects anonymous requests and forged identities', async () => {
    await allowReader();
    const { exitCode, diagnosis } = await verifyJson([apiService, '--strict', '--as-user', reader]);
    expect({ exitCode, codes: codesOf(diagnosis), notChecked: diagnosis.apis.map(({ notChecked }) => notChecked) }).toEqual({
      exitCode: 0,
      codes: [],
      notChecked: [[]],
    });
  });

  test('answers kubectl get and api-resources', async () => {
    const [header = '', row = ''] = (await kubectlOk(['get', 'hosts'])).split('\n');
    expect(header).toMatch(/^NAME /);
    const [name = ''] = row.split(' ');
    expect(await kubectlOk(['get', 'host', name, '-o', 'name'])).toBe(`host.demo.apisvc.dev/${name}\n`);
    const host = JSON.parse(await kubectlOk(['get', '--raw', `${path}/hosts/${name}`]));
    expect(host).toMatchObject({ kind: 'Host', metadata: { name }, capacity: { cpu: expect.any(String) } });
    expect(await kubectlOk(['api-resources', '--api-group=demo.apisvc.dev'])).toMatch(/^hosts +demo.apisvc.dev\/v1alpha1 +false +Host$/m);
  });

  test('rejects unknown objects and methods', async () => {
    expect((await kubectl(['get', 'host', 'other'])).stderr).toBe(
      'Error from server (NotFound): hosts.demo.apisvc.dev "other" not found\n',
    );
    const deleted = await kubectl(['delete', '--raw', `${path}/hosts/other`]);
    expect(deleted.stderr).toBe('Error from server (MethodNotAllowed): the server does not allow this method on the requested resource\n');
  });

  test('obeys the RBAC of the cluster', async () => {
    const jane = await userKubeconfig('jane', ['viewers']);
    const refused = await kubectl(['get', 'hosts'], { kubeconfig: jane });
    expect(refused.stderr).toContain('hosts.demo.apisvc.dev is forbidden: User "jane" cannot list resource "hosts"');
    await kubectlOk(['create', 'clusterrolebinding', 'demo-viewer', '--clusterrole=view', '--group=viewers']);
    await expect.poll(async () => (await kubectl(['get', 'hosts'], { kubeconfig: jane })).exitCode, { timeout: 60_000 }).toBe(0);
    expect(log).toContain(`GET ${path}/hosts`);
    expect(log).toContain('for jane');
  });

  test('also authorizes requests that bypass kube-apiserver', async () => {
    const token = (await kubectlOk(['create', 'token', 'default'])).trim();
    const { status, body } = await requestDirectly(token);
    expect(status).toBe(403);
    expect(body).toContain('User \\"system:serviceaccount:default:default\\" cannot list resource');
    expect((await requestDirectly('wrong')).status).toBe(401);
  });

  test('does not start without the right to read extension-apiserver-authentication', async () => {
    const before = log.length;
    const denied = await start(await unusedPort(), await serviceAccountKubeconfig('default', 'default'));
    expect(await denied.ended).toBe(1);
    expect(log.slice(before)).toMatch(
      /^Error: unable to load configmap based request-header-client-ca-file: .*"extension-apiserver-authentication" is forbidden/m,
    );
  });

  /** Sends a request with a token to the server itself. */
  async function requestDirectly(token: string): Promise<{ status: number | undefined; body: string }> {
    const port = Number(/ on port (\d+) /.exec(log)?.[1]);
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}` };
      const request = get({ host: backendAddress, port, path: `${path}/hosts`, headers, rejectUnauthorized: false }, async (response) => {
        let body = '';
        for await (const chunk of response.setEncoding('utf8')) body += chunk;
        resolve({ status: response.statusCode, body });
      });
      request.on('error', reject);
    });
  }

  test('reloads a new certificate without a restart, and verify detects it', async () => {
    expect(await apisvc(['init', dir, '--force-keys'])).toMatchObject({ exitCode: 0 });
    mountCertificates();
    await expect.poll(() => log, { timeout: 60_000 }).toContain('reloaded the serving certificate');
    await expect
      .poll(async () => codesOf((await verifyJson([apiService])).diagnosis), { timeout: 60_000 })
      .toEqual(['cert/unknown-authority']);
    expect(await apisvc(['register'], { cwd: dir })).toMatchObject({ exitCode: 0 });
    expect(await verifyJson([apiService])).toMatchObject({ exitCode: 0 });
  });
});
