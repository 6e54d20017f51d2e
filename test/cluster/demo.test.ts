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
import { codesOf, emptyFolder, kubectlOk, moveOutside, verifyJson } from './harness/projects.ts';
import { deleteApiServices } from './harness/registrations.ts';
import { serviceAccountKubeconfig, userKubeconfig } from './harness/users.ts';

const apiService = 'v1alpha1.demo.apisvc.dev';
const path = '/apis/demo.apisvc.dev/v1alpha1';
const namespace = 'demo';

/** The built-in extension API server of the sandbox behind a real kube-apiserver, which it asks about everybody. */
describe('the built-in extension API server', () => {
  const dir = emptyFolder();
  const served = emptyFolder();
  let server: RunningContainer | undefined;
  let log = '';

  /** The files of the project as a kubelet would mount them. */
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
    const { stdout: manifests } = await apisvc(['render', '-C', dir, '-o', 'yaml']);
    const objects = parseAllDocuments(manifests).map((document) => document.toJS());
    const access = objects.filter(({ kind }) => ['Namespace', 'ServiceAccount', 'ClusterRoleBinding', 'RoleBinding'].includes(kind));
    await kubectlOk(['apply', '--server-side', '--field-manager=apisvc', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: access });
    server = await start(port, await serviceAccountKubeconfig(namespace, 'demo'));
    await vi.waitUntil(() => /^serving /m.test(log), { timeout: 20_000 });
    expect(await apisvc(['register'], { cwd: dir })).toMatchObject({ exitCode: 0 });
  });

  afterAll(async () => {
    await deleteApiServices(apiService);
    await server?.stop();
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
    const labels = 'app.kubernetes.io/managed-by=apisvc,app.kubernetes.io/name=machine';
    await kubectl(['delete', 'clusterroles,clusterrolebindings,rolebindings', '-n', 'kube-system', '-l', labels]);
    await kubectl(['delete', 'clusterrolebinding', 'demo-viewer', '--ignore-not-found']);
  });

  test('is healthy, with strangers and forged identities refused', async () => {
    const { exitCode, diagnosis } = await verifyJson([apiService, '--strict', '--as-user', 'jane']);
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

  test('refuses what it can not do', async () => {
    expect((await kubectl(['get', 'host', 'other'])).stderr).toBe(
      'Error from server (NotFound): hosts.demo.apisvc.dev "other" not found\n',
    );
    const deleted = await kubectl(['delete', '--raw', `${path}/hosts/other`]);
    expect(deleted.stderr).toBe('Error from server (MethodNotAllowed): the server does not allow this method on the requested resource\n');
  });

  test('leaves it to the RBAC of the cluster who may look', async () => {
    const jane = await userKubeconfig('jane', ['lookers']);
    const refused = await kubectl(['get', 'hosts'], { kubeconfig: jane });
    expect(refused.stderr).toContain('hosts.demo.apisvc.dev is forbidden: User "jane" cannot list resource "hosts"');
    await kubectlOk(['create', 'clusterrolebinding', 'demo-viewer', '--clusterrole=view', '--group=lookers']);
    await expect.poll(async () => (await kubectl(['get', 'hosts'], { kubeconfig: jane })).exitCode, { timeout: 30_000 }).toBe(0);
    expect(log).toContain(`GET ${path}/hosts`);
    expect(log).toContain('for jane');
  });

  test('decides itself as well, for whoever comes past kube-apiserver', async () => {
    const token = (await kubectlOk(['create', 'token', 'default'])).trim();
    const { status, body } = await askPast(token);
    expect(status).toBe(403);
    expect(body).toContain('User \\"system:serviceaccount:default:default\\" cannot list resource');
    expect((await askPast('wrong')).status).toBe(401);
  });

  test('does not start without the right to read whom to believe', async () => {
    const before = log.length;
    const stranger = await start(await unusedPort(), await serviceAccountKubeconfig('default', 'default'));
    expect(await stranger.ended).toBe(1);
    expect(log.slice(before)).toMatch(
      /^Error: unable to load configmap based request-header-client-ca-file: .*"extension-apiserver-authentication" is forbidden/,
    );
  });

  /** A request straight at the server, with a token. */
  async function askPast(token: string): Promise<{ status: number | undefined; body: string }> {
    const port = Number(/ at port (\d+) /.exec(log)?.[1]);
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

  test('takes a new certificate up without a restart, and verify sees it', async () => {
    expect(await apisvc(['init', dir, '--force-keys'])).toMatchObject({ exitCode: 0 });
    mountCertificates();
    await expect.poll(() => log, { timeout: 20_000 }).toContain('serving from now on with');
    await expect
      .poll(async () => codesOf((await verifyJson([apiService])).diagnosis), { timeout: 60_000 })
      .toEqual(['cert/unknown-authority']);
    expect(await apisvc(['register'], { cwd: dir })).toMatchObject({ exitCode: 0 });
    expect(await verifyJson([apiService])).toMatchObject({ exitCode: 0 });
  });
});
