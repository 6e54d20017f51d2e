import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../src/project/project.ts';
import type { RunningProcess } from '../../src/sandbox/shared/process.ts';
import { apisvc } from './harness/commands.ts';
import {
  codesOf,
  emptyFolder,
  expectListed,
  getObject,
  kubectlOk,
  moveOutside,
  objectsOf,
  verifyJson,
  waitForOutput,
} from './harness/projects.ts';
import { cluster } from './harness/provided.ts';
import { startSampleApiserver } from './harness/servers.ts';
import { serviceAccountKubeconfig } from './harness/users.ts';

const name = 'v1alpha1.wardle.example.com';
const path = '/apis/wardle.example.com/v1alpha1';
const port = 8445;
const folder = emptyFolder();
const dir = join(folder, 'demo');
const files = projectFiles(dir);

let server: RunningProcess | undefined;

const startServer = async (): Promise<void> => {
  const kubeconfig = await serviceAccountKubeconfig('wardle', 'sample-apiserver');
  server = await startSampleApiserver({ certFile: files.certificate, keyFile: files.key, port, kubeconfig });
};

/** The objects of the project. kube-apiserver writes the status of the APIService at any time. */
async function unchanged() {
  const { [`APIService/${name}`]: _, ...others } = await objectsOf('sample-apiserver');
  const apiService = JSON.parse(await kubectlOk(['get', 'apiservice', name, '-o', 'json', '--show-managed-fields']));
  const { managedFields, resourceVersion: _version, ...metadata } = apiService.metadata;
  const managed = managedFields.filter(({ subresource }: { subresource?: string }) => subresource === undefined);
  return { others, apiService: { ...apiService, metadata, status: undefined }, managed };
}

const fingerprint = (file: string): string => new X509Certificate(readFileSync(file)).fingerprint256;
const patchBundle = (file: string): Promise<string> =>
  kubectlOk(['patch', 'apiservice', name, '--type=merge', '-p', JSON.stringify({ spec: { caBundle: readFileSync(file, 'base64') } })]);

afterAll(async () => {
  await kubectlOk(['delete', 'apiservice', name, '--ignore-not-found']);
  await kubectlOk(['delete', 'namespace', 'wardle', '--ignore-not-found', '--wait=false']);
  await server?.stop();
});

describe('in an empty directory', () => {
  test('init --yes does not prompt, and only the owner can read the keys', async () => {
    const init = await apisvc(['init', 'demo', '--preset', 'sample-apiserver', '--yes'], { cwd: folder });
    expect(init).toMatchObject({ exitCode: 0, stderr: '' });
    expect(init.stdout).toContain(`${name} will be served by Service wardle/api.`);
    for (const key of [files.key, files.caKey]) expect(statSync(key).mode & 0o777).toBe(0o600);
    moveOutside(dir, { address: cluster.network.address, port });
  });

  test('register waits for the server, registers the API, and shows that the API is served', async () => {
    const registering = apisvc(['register', '--timeout', '85s'], { cwd: dir });
    await waitForOutput(
      registering,
      new RegExp(`waiting for every endpoint to serve a certificate .*: ${cluster.network.address}:${port}: connection refused`),
    );
    expect(await getObject('apiservice', name)).toBeUndefined();
    await startServer();

    const { exitCode, stdout, stderr } = await registering;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    await expectListed(stderr, ['flunders', '-n', 'wardle']);
    expect(stdout).toMatch(/^\d+ objects: \d+ created\.\n/);
    expect(stdout).toContain(`✓ ${name}: healthy`);
    expect(stdout).toContain('Available=True (Passed)');
    expect(stdout).toMatch(new RegExp(`GET ${path}: 200, resources: fischers, flunders`));
    expect(stderr).toContain(`apiservice/${name} created`);
    expect(stderr).not.toContain('PRIVATE KEY');
  });

  test('kubectl works with the new API', async () => {
    const flunder = { apiVersion: 'wardle.example.com/v1alpha1', kind: 'Flunder', metadata: { name: 'one', namespace: 'wardle' } };
    await kubectlOk(['create', '-f', '-'], flunder);
    expect(await kubectlOk(['get', 'flunders', '-n', 'wardle', '-o', 'name'])).toBe('flunder.wardle.example.com/one\n');
  });

  test('verify reports it as healthy', async () => {
    const { exitCode, diagnosis } = await verifyJson(['-C', dir]);
    expect({ exitCode, diagnosis }).toMatchObject({
      exitCode: 0,
      diagnosis: {
        apiVersion: 'apisvc.dev/diagnosis/v1alpha1',
        verdict: 'healthy',
        source: { kind: 'cluster', server: cluster.server, context: 'admin', version: 'v1.37.2' },
        apis: [{ name, verdict: 'healthy', findings: [], notChecked: [] }],
      },
    });
  });
});

describe('a second register', () => {
  test('reports that nothing changed', async () => {
    const names = Object.keys(await objectsOf('sample-apiserver'));
    expect(names).toEqual(expect.arrayContaining([`APIService/${name}`, 'Service/api', 'EndpointSlice/api-ipv4']));
    const before = await unchanged();
    const { exitCode, stdout, stderr } = await apisvc(['register'], { cwd: dir });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    // The Namespace has no labels, because several projects can share it.
    expect(stdout).toMatch(new RegExp(`^Nothing changed: all ${names.length + 1} objects are up to date\\.\n`));
    expect(stderr).not.toMatch(/created|configured/);
    expect(await unchanged()).toEqual(before);
  });

  test('prints no differences with --diff', async () => {
    expect(await apisvc(['register', '--diff'], { cwd: dir })).toMatchObject({ exitCode: 0, stdout: 'No differences.\n' });
  });
});

describe('after a patch of the caBundle to another CA', () => {
  const other = emptyFolder();
  const otherCa = projectFiles(other).caCertificate;

  beforeAll(async () => {
    expect(await apisvc(['init', other, '--preset', 'sample-apiserver', '--yes'])).toMatchObject({ exitCode: 0 });
    await patchBundle(otherCa);
  });

  test('verify reports only the unknown authority, with both fingerprints', async () => {
    await expect.poll(async () => (await verifyJson([name])).diagnosis.apis[0]?.findings[0]?.explains.length, { timeout: 90_000 }).toBe(2);
    const { exitCode, diagnosis } = await verifyJson([name]);
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, codes: ['cert/unknown-authority'] });
    const [finding] = diagnosis.apis[0]?.findings ?? [];
    expect(finding?.evidence).toEqual([
      expect.stringMatching(new RegExp(`^served: .*SHA-256 ${fingerprint(files.certificate)}$`)),
      expect.stringMatching(new RegExp(`^caBundle: .*SHA-256 ${fingerprint(otherCa)}$`)),
    ]);
    expect(finding?.explains.map(({ code }) => code)).toEqual(['discovery/request-failed', 'control-plane/not-available']);
    expect(JSON.stringify(finding?.explains)).toContain('x509: certificate signed by unknown authority');
  });

  test('register --diff shows the change of the caBundle and changes nothing', async () => {
    const before = await unchanged();
    const { exitCode, stdout } = await apisvc(['register', '--diff'], { cwd: dir });
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`--- apiservice/${name}`);
    expect(stdout.split('\n').filter((line) => /^[-+] /.test(line))).toEqual([
      `-    - CN=api.wardle.svc CA, SHA-256 ${fingerprint(otherCa)}`,
      `+    - CN=api.wardle.svc CA, SHA-256 ${fingerprint(files.caCertificate)}`,
    ]);
    expect(await unchanged()).toEqual(before);
  });

  test('register restores the caBundle', async () => {
    const { exitCode, stdout, stderr } = await apisvc(['register'], { cwd: dir });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).toContain(`apiservice/${name}: restored manually edited fields (.spec.caBundle: conflict with "kubectl-patch"`);
    expect(stdout).toMatch(/^\d+ objects: 1 configured, \d+ unchanged\.\n/);
    expect((await verifyJson([name])).exitCode).toBe(0);
  });
});

describe('after the server has stopped', () => {
  beforeAll(() => server?.stop());

  test('verify reports the refused connection instead of the certificate', async () => {
    await expect.poll(async () => (await verifyJson([name])).diagnosis.apis[0]?.findings[0]?.explains.length, { timeout: 90_000 }).toBe(2);
    const { exitCode, diagnosis } = await verifyJson([name]);
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, codes: ['endpoints/connection-refused'] });
    const [finding] = diagnosis.apis[0]?.findings ?? [];
    expect(finding?.title).toBe(`Connection refused at ${cluster.network.address}:${port}`);
  });

  test('verify --wait ends when the server is running again', async () => {
    const verifying = apisvc(['verify', '--wait', '--timeout', '2m'], { cwd: dir, timeout: 150_000 });
    await startServer();
    const { exitCode, stdout, stderr } = await verifying;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: `waiting up to 2m for ${name} to be healthy\n` });
    expect(stdout).toContain(`✓ ${name}: healthy`);
  });
});
