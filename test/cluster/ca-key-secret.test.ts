import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { projectFiles } from '../../src/project/project.ts';
import { keyTraces, tracesIn } from '../unit/pki/key-traces.ts';
import { apisvc, kubectl } from './harness/commands.ts';
import { type IssuerProject, issuerProjects } from './harness/issuer-projects.ts';
import { emptyFolder, failure, getObject, kubectlOk, servingPairOf, waitForOutput } from './harness/projects.ts';
import { serviceAccountKubeconfig } from './harness/users.ts';

/** What only a real control plane tells about the key of the CA in a Secret (`caKey: secret`). */

const { project: makeProject, remove } = issuerProjects();
afterAll(remove);

/** Registered, with the key of the CA in its Secret. */
async function registered(name: string): Promise<IssuerProject> {
  const api = await makeProject(name, 'self-signed', '--ca-key-in', 'secret');
  await api.serve(servingPairOf(api.dir));
  const { exitCode, stderr } = await api.run('register');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  expect(existsSync(projectFiles(api.dir).caKey)).toBe(false);
  return api;
}

async function caOf({ name }: IssuerProject): Promise<Record<string, string>> {
  const { data = {} } = (await getObject('secret', '-n', name, 'api-ca')) ?? {};
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), 'base64').toString()]));
}

/** Serves what certs/next has as soon as the server has to. */
async function rotated(api: IssuerProject, dir: string, running: ReturnType<typeof apisvc>): Promise<string> {
  await waitForOutput(running, /Waiting until every endpoint serves the new certificate/);
  const next = join(dir, 'certs', 'next');
  await api.serve({ certificates: readFileSync(join(next, 'tls.crt'), 'utf8'), key: readFileSync(join(next, 'tls.key'), 'utf8') });
  const { exitCode, stdout, stderr } = await running;
  expect({ exitCode, output: exitCode === 0 ? '' : stdout + stderr }).toEqual({ exitCode: 0, output: '' });
  return stdout + stderr;
}

test('a ServiceAccount with the rights that rotate names rotates with nothing but apisvc.yaml', async () => {
  const api = await registered('ca-key-pod');
  const { 'tls.key': key = '' } = await caOf(api);
  await kubectlOk(['create', 'serviceaccount', 'rotate', '-n', api.name]);
  const env = { KUBECONFIG: await serviceAccountKubeconfig(api.name, 'rotate') };
  const pod = emptyFolder();
  writeFileSync(join(pod, 'apisvc.yaml'), readFileSync(projectFiles(api.dir).configuration));
  const flags = ['rotate', '-C', pod, '--restart', 'never', '--if-expires-within', '1000d'];
  const refused = await failure(apisvc(flags, { env }));
  expect(refused.exitCode).toBe(3);
  expect(refused.stderr).toContain('- {apiGroups: [""], resources: [secrets], resourceNames: ["api-ca"], verbs: [get]}');
  const [, grants = ''] = /^kubectl auth reconcile -f - <<'EOF'\n(.*)\nEOF\n/ms.exec(`${refused.stderr}\n`) ?? [];
  expect(await kubectl(['auth', 'reconcile', '-f', '-'], { input: grants })).toMatchObject({ exitCode: 0 });

  const output = await rotated(api, pod, apisvc(flags, { env }));
  expect(tracesIn(output, keyTraces(key))).toEqual([]);
  expect(existsSync(projectFiles(pod).caKey)).toBe(false);
  expect(await api.run('status')).toMatchObject({ exitCode: 0 });
  const again = await api.run('register');
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
});

test('rotate --ca creates a Secret that was lost, and --abort leaves no key of the new CA', async () => {
  const api = await registered('ca-key-lost');
  const { 'tls.key': lost = '' } = await caOf(api);
  await kubectlOk(['delete', 'secret', 'api-ca', '-n', api.name]);
  const copy = emptyFolder();
  cpSync(api.dir, copy, { recursive: true });
  rmSync(projectFiles(copy).key);
  const interrupted = apisvc(['rotate', '--ca', '-C', copy]);
  await waitForOutput(interrupted, /Trusting both CAs/);
  interrupted.kill('SIGINT');
  expect(await interrupted).toMatchObject({ exitCode: 130 });
  expect(await caOf(api)).toEqual({ 'tls.crt': '', 'tls.key': '', 'next.crt': expect.any(String), 'next.key': expect.any(String) });
  expect(await apisvc(['rotate', '--abort', '-C', copy])).toMatchObject({ exitCode: 0 });
  expect(await caOf(api)).toEqual({ 'tls.crt': '', 'tls.key': '' });

  await rotated(api, copy, apisvc(['rotate', '--ca', '-C', copy, '--soak', '1s']));
  const { 'tls.key': key = '', ...rest } = await caOf(api);
  expect(rest).toEqual({ 'tls.crt': readFileSync(projectFiles(copy).caCertificate, 'utf8') });
  expect(key).not.toBe(lost);
  expect(await apisvc(['unregister', '-C', copy, '--yes'])).toMatchObject({ exitCode: 0 });
  expect(await getObject('secret', '-n', api.name, 'api-ca')).toBeUndefined();
});
