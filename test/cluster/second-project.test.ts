import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { projectFiles } from '../../src/project/project.ts';
import { type Backend, backendAddress, resourceList, serveHttps } from './harness/backends.ts';
import { apisvc, kubectl } from './harness/commands.ts';
import { editConfiguration, emptyFolder, failure, getObject, kubectlOk, servingPairOf, verifyJson } from './harness/projects.ts';
import { project, registered, removeProjects } from './harness/registered.ts';

afterAll(removeProjects);

/** The project that the annotation of an object names; empty for none. */
const projectOf = (...args: string[]): Promise<string> =>
  kubectlOk(['get', ...args, '-o', 'jsonpath={.metadata.annotations.apisvc\\.dev/registration}']);

describe('a second project with the same Service and API', () => {
  test('is refused before anything changes, and --force-conflicts takes the objects over', async () => {
    const first = await registered('taken-first', { namespace: 'taken' });
    const before = await getObject('service', 'api', '-n', 'taken');
    expect(await projectOf('service', 'api', '-n', 'taken')).toBe('taken/taken-first');
    const second = await project('taken-second', { namespace: 'taken', api: 'taken-first.example.com/v1' });
    editConfiguration(second.dir, (document) => document.deleteIn(['spec', 'server', 'rbac']));

    const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: second.dir }));
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(
      /\nerror: service\/taken\/api belongs to another project: taken\/taken-first\nendpointslice\/taken\/api-ipv4 belongs to another project: taken\/taken-first\napiservice\/v1\.taken-first\.example\.com belongs to another project: taken\/taken-first\nnothing was changed\nfix: [^\n]*--force-conflicts[^\n]*\n$/,
    );
    expect(await getObject('service', 'api', '-n', 'taken')).toEqual(before);
    expect(await getObject('clusterrolebinding', 'taken:taken-second:auth-delegator')).toBeUndefined();

    const backend = await serveHttps(servingPairOf(second.dir), { body: resourceList('taken-first.example.com/v1', 'things') });
    onTestFinished(backend.stop);
    editConfiguration(second.dir, (document) => document.setIn(['spec', 'server', 'external', 'port'], backend.port));
    const takenOver = await apisvc(['register', '--force-conflicts'], { cwd: second.dir });
    expect(takenOver).toMatchObject({ exitCode: 0 });
    expect(takenOver.stderr.split('\n').filter((line) => line.includes('taken over'))).toEqual(
      ['service/taken/api', 'endpointslice/taken/api-ipv4', 'apiservice/v1.taken-first.example.com'].map(
        (object) => `    ${object}: taken over from project taken/taken-first`,
      ),
    );
    expect(await projectOf('service', 'api', '-n', 'taken')).toBe('taken/taken-second');
    expect((await failure(apisvc(['register'], { cwd: first.dir }))).stderr).toContain('belongs to another project: taken/taken-second');
  });

  test('adopts objects of an earlier version, which have no record', async () => {
    const { dir } = await registered('no-record');
    await kubectlOk(['annotate', 'service/api', 'endpointslice/api-ipv4', '-n', 'no-record', 'apisvc.dev/registration-']);
    expect(await projectOf('service', 'api', '-n', 'no-record')).toBe('');
    expect(await apisvc(['register'], { cwd: dir })).toMatchObject({ exitCode: 0 });
    expect(await projectOf('service', 'api', '-n', 'no-record')).toBe('no-record/no-record');
  });
});

describe('a project that was cloned from Git, without its keys', () => {
  const namespace = 'cloned';
  const apiService = 'v1.cloned.example.com';
  const dir = emptyFolder();
  let backend: Backend;

  /** Copies the project as `git clone` does. */
  function clone(...without: ('caCertificate' | 'certificate')[]): string {
    const copy = join(emptyFolder(), 'clone');
    cpSync(dir, copy, { recursive: true });
    const files = projectFiles(copy);
    for (const file of ['key', 'caKey', ...without] as const) rmSync(files[file]);
    return copy;
  }
  const secretVersion = (): Promise<string> =>
    kubectlOk(['get', 'secret', 'api-tls', '-n', namespace, '-o', 'jsonpath={.metadata.resourceVersion}']);

  beforeAll(async () => {
    const identity = ['--name', namespace, '--namespace', namespace, '--service', 'api', '--api', 'cloned.example.com/v1'];
    const init = await apisvc(['init', dir, '--preset', 'custom', ...identity, '--image', 'none', '--yes']);
    expect(init).toMatchObject({ exitCode: 0 });
    backend = await serveHttps(servingPairOf(dir), { body: resourceList('cloned.example.com/v1', 'things') });
    editConfiguration(dir, (document) =>
      document.setIn(['spec', 'server'], document.createNode({ existing: { selector: { app: 'outside' }, port: backend.port } })),
    );
    await kubectlOk(['create', 'namespace', namespace]);
    await kubectlOk(['create', '-f', '-'], {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'api-by-hand', namespace, labels: { 'kubernetes.io/service-name': 'api' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [backendAddress] }],
      ports: [{ port: backend.port }],
    });
    expect(await apisvc(['register'], { cwd: dir })).toMatchObject({ exitCode: 0 });
  });
  afterAll(async () => {
    await kubectl(['delete', 'apiservice', apiService, '--ignore-not-found']);
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    await backend.stop();
  });

  test.each([
    ['certs/ca.crt', []],
    ['the caBundle of the running registration', ['caCertificate', 'certificate'] as const],
  ])('uses the Secret in the cluster, which fits %s, and leaves it unchanged', async (_, without) => {
    const before = await secretVersion();
    const { exitCode, stdout, stderr } = await apisvc(['register'], { cwd: clone(...without) });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stderr).toContain(
      'note: certs/tls.key not found; using the certificate and the key in Secret cloned/api-tls, which match the project\n',
    );
    expect(stdout).toMatch(/^Nothing changed: /);
    expect(stdout + stderr).not.toContain('PRIVATE KEY');
    expect(await secretVersion()).toBe(before);
    expect((await verifyJson([apiService])).exitCode).toBe(0);
  });

  test('registers again what is gone, except for the Secret', async () => {
    await kubectlOk(['delete', 'apiservice', apiService]);
    const copy = clone();
    expect(await apisvc(['register', '--dry-run=server'], { cwd: copy })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`apiservice/${apiService} created (server dry run)\n`),
    });
    expect(await apisvc(['register'], { cwd: copy })).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/ 1 created, /) });
  });

  test('--dry-run=client says that the Secret stays', async () => {
    const { exitCode, stdout, stderr } = await apisvc(['register', '--dry-run=client'], { cwd: clone(), env: { KUBECONFIG: '/none' } });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: '    note: certs/tls.key not found; the Secret in the cluster would stay unchanged\n',
    });
    expect(stdout).not.toContain('secret/');
  });

  const everyCopy = '  Then copy the new files to every other copy of the project.\n';
  const newKeys = `Or create a new CA, certificate and key: apisvc init --force-keys\n${everyCopy}`;
  const rotation =
    'Or replace the certificate in the cluster: apisvc rotate\n  If certs/ca.key does not exist, replace the CA too: apisvc rotate --ca\n';

  test.each<[string, (copy: string) => Promise<unknown>, string, string]>([
    [
      'is signed by another CA',
      async (copy) => {
        await apisvc(['init', copy, '--force-keys', '--yes']);
        rmSync(projectFiles(copy).key);
      },
      'Secret cloned/api-tls: the certificate is not signed by a CA in certs/ca.crt',
      `Or replace the CA, the certificate and the key in the cluster: mv certs certs.old && apisvc rotate --ca\n${everyCopy}`,
    ],
    [
      'is for other names',
      async (copy) => editConfiguration(copy, (document) => document.setIn(['spec', 'certificates', 'dnsNames'], ['api.example.com'])),
      'Secret cloned/api-tls: the certificate is not valid for api.example.com',
      rotation,
    ],
    [
      'does not exist',
      async (copy) => editConfiguration(copy, (document) => document.setIn(['spec', 'certificates', 'secretName'], 'other-tls')),
      'Secret cloned/other-tls not found',
      newKeys,
    ],
    [
      'belongs to another project',
      async (copy) => editConfiguration(copy, (document) => document.setIn(['metadata', 'name'], 'second')),
      'Secret cloned/api-tls belongs to another project: cloned/cloned',
      newKeys,
    ],
  ])('is refused when the Secret in the cluster %s', async (_, change, reason, way) => {
    const copy = clone();
    await change(copy);
    const { exitCode, stdout, stderr } = await failure(apisvc(['register'], { cwd: copy }));
    expect({ exitCode, stdout, stderr }).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        `error: certs/tls.key not found, and the cluster has no certificate that matches the project:\n  ${reason}\n` +
        'fix: Copy certs/tls.key, certs/tls.crt and certs/ca.crt from the machine that created the project. The certificate and its CA stay the same.\n' +
        'Or use the key in another directory: apisvc register --keys DIR\n' +
        way,
    });
  });
});

test('a server outside the cluster needs no key to register', async () => {
  const { dir } = await registered('outside-clone');
  const files = projectFiles(dir);
  rmSync(files.key);
  rmSync(files.caKey);
  const { exitCode, stdout, stderr } = await apisvc(['register'], { cwd: dir });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(stderr).not.toContain('tls.key');
  expect(stdout).toMatch(/^Nothing changed: /);
});
