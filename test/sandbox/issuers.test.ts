import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { parseDocument } from 'yaml';
import { type Cluster, connect } from '../../src/cluster/cluster.ts';
import { getObject, observe } from '../../src/cluster/objects.ts';
import { resourcePath, resources } from '../../src/cluster/resources.ts';
import { createAuthority } from '../../src/pki/authority.ts';
import { issueServing } from '../../src/pki/leaf.ts';
import { apisvc, bin, plainEnv } from '../cli/apisvc.ts';
import { emptyFolder, startSandbox } from './harness.ts';

/** Projects whose Secret others write, with pods that mount it. */

const day = 86_400_000;
const { signal } = new AbortController();
const host = 'demo.demo.svc';
const apiService = { resource: resources.APIService, namespace: undefined, name: 'v1alpha1.demo.apisvc.dev' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Issued {
  readonly ca: string;
  readonly certificates: string;
  readonly key: string;
}

/** A CA of another tool, and a certificate by it. */
async function issued(commonName: string, name = host): Promise<Issued> {
  const common = { keyType: 'ecdsa-p256', now: new Date() } as const;
  const authority = await createAuthority({ ...common, commonName, lifetimeMs: 900 * day });
  const leaf = await issueServing({ ...common, authority, names: { dns: [name], ip: [] }, lifetimeMs: 400 * day });
  return { ca: authority.certificates, certificates: leaf.certificates, key: leaf.key.reveal() };
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of Kubernetes objects.
type Json = any;

async function installed(...issuer: readonly string[]) {
  const cwd = emptyFolder();
  const { env } = await startSandbox(['--empty'], cwd);
  const cluster: Cluster = await connect({ kubeconfig: env.KUBECONFIG }, {}, signal);
  onTestFinished(() => cluster.close());
  const run = (...args: string[]) => apisvc(args, { cwd, env });
  expect(await run('init', '.', '--preset', 'demo', '--yes', '--issuer', ...issuer)).toMatchObject({ code: 0, stderr: '' });
  /** Starts a command, and waits until it prints this. */
  const start = async (line: RegExp, ...args: string[]) => {
    const running = execa(bin, args, { cwd, env: { ...plainEnv, ...env }, extendEnv: false, stdin: 'ignore', reject: false });
    let said = '';
    running.stderr.on('data', (chunk: Buffer) => {
      said += chunk;
    });
    await vi.waitFor(() => expect(said).toMatch(line), { timeout: 60_000, interval: 50 });
    return { ended: running };
  };
  const writeSecret = async ({ ca, certificates, key }: Issued, withCa = true): Promise<void> => {
    const data = { ...(withCa ? { 'ca.crt': base64(ca) } : {}), 'tls.crt': base64(certificates), 'tls.key': base64(key) };
    const path = resourcePath(resources.Secret, 'demo', 'demo-tls');
    const body = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'demo-tls' }, type: 'kubernetes.io/tls', data };
    const query = { fieldManager: 'vault', force: 'true' };
    const answer = await cluster.request({ method: 'PATCH', path, query, contentType: 'application/apply-patch+yaml', body, signal });
    expect([200, 201]).toContain(answer.status);
  };
  const caBundle = async (): Promise<string | undefined> => ((await getObject(cluster, apiService, signal)) as Json)?.spec.caBundle;
  /** Notes every caBundle of the APIService from now on, however short it stays. */
  const watchBundles = async () => {
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const seen: (string | undefined)[] = [];
    const watching = (async () => {
      for await (const items of observe(cluster, { resource: resources.APIService }, stop.signal)) {
        const bundle = items.find(({ metadata }) => metadata.name === apiService.name) as Json;
        if (bundle?.spec.caBundle !== seen.at(-1)) seen.push(bundle?.spec.caBundle);
      }
    })();
    // Its signal ends it with an error.
    watching.catch(() => {});
    await vi.waitFor(() => expect(seen).toHaveLength(1), { timeout: 60_000 });
    return seen;
  };
  const createNamespace = async (): Promise<void> => {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'demo' } };
    expect(await cluster.request({ method: 'POST', path: '/api/v1/namespaces', body, signal })).toMatchObject({ status: 201 });
  };
  return { run, start, writeSecret, createNamespace, caBundle, watchBundles, cluster, dir: cwd };
}

describe('existing-secret', () => {
  test('register waits for the Secret, and follows its CA by trusting both first', async () => {
    const { run, start, writeSecret, caBundle, watchBundles } = await installed('existing-secret');
    const [old, next] = [await issued('Old CA'), await issued('New CA')];
    const first = await start(/waiting for another tool to write secret\/demo\/demo-tls: no certificate in tls\.crt yet/, 'register');
    expect(await caBundle()).toBeUndefined();
    await writeSecret(old);
    expect(await first.ended).toMatchObject({ exitCode: 0 });
    expect(await caBundle()).toBe(base64(old.ca));
    expect(await run('register')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing changed: /) });

    await writeSecret(next);
    const bundles = await watchBundles();
    expect(await run('register')).toMatchObject({ code: 0, stderr: expect.stringContaining('Trusting both CAs') });
    const inOrder = [old.ca, old.ca + next.ca, next.ca].map(base64);
    await expect.poll(() => bundles, { timeout: 60_000 }).toEqual(inOrder);
    expect(await run('verify')).toMatchObject({ code: 0 });
    expect(await run('status')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        '\nissuer existing-secret: key created by another tool; Secret written by another tool; caBundle written by apisvc\n',
      ),
    });
    expect(await run('unregister', '--yes')).toMatchObject({ code: 0 });
  });

  test('a certificate of another name is refused before anything is applied', async () => {
    const { run, cluster, writeSecret, createNamespace } = await installed('existing-secret');
    await createNamespace();
    await writeSecret(await issued('Company CA', 'elsewhere.example.com'));
    const { code, stdout, stderr } = await run('register');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(
      'error: the certificate in Secret demo/demo-tls cannot be used:\n  Secret demo/demo-tls: the certificate is not valid for demo.demo.svc\nnothing was changed\n',
    );
    expect(await getObject(cluster, { resource: resources.Deployment, namespace: 'demo', name: 'demo' }, signal)).toBeUndefined();
  });
});

test('insecure: apisvc leaves the certificate of the server alone, and verify reports the API', async () => {
  const { run, caBundle } = await installed('insecure');
  expect(await run('register')).toMatchObject({ code: 0, stdout: expect.stringContaining('security/insecure-skip-tls-verify') });
  expect(await caBundle()).toBeUndefined();
  expect(await run('register')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
  expect(await run('verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('security/insecure-skip-tls-verify') });
});

// The operator of OpenShift does not run here. The spec writes what its documentation promises for
// the two annotations: a Secret without ca.crt, and the caBundle.
test('openshift-service-ca: register waits for the Secret, and then for the caBundle', async () => {
  const { run, start, writeSecret, caBundle, cluster } = await installed('openshift-service-ca');
  const made = await issued('service signer');
  const running = await start(/waiting for OpenShift's service CA operator to write secret\/demo\/demo-tls/, 'register');
  const service = await getObject(cluster, { resource: resources.Service, namespace: 'demo', name: 'demo' }, signal);
  expect(service?.metadata.annotations).toMatchObject({ 'service.beta.openshift.io/serving-cert-secret-name': 'demo-tls' });
  await writeSecret(made, false);
  await vi.waitFor(async () => expect(await getObject(cluster, apiService, signal)).toBeDefined(), { timeout: 60_000, interval: 100 });
  const found = await getObject(cluster, apiService, signal);
  expect(found?.metadata.annotations).toMatchObject({ 'service.beta.openshift.io/inject-cabundle': 'true' });
  await cluster.request({
    method: 'PATCH',
    path: resourcePath(resources.APIService, undefined, apiService.name),
    query: { fieldManager: 'service-ca-operator' },
    contentType: 'application/merge-patch+json',
    body: { spec: { caBundle: base64(made.ca) } },
    signal,
  });
  expect(await running.ended).toMatchObject({ exitCode: 0 });
  expect(await run('register')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
  expect(await caBundle()).toBe(base64(made.ca));
});

test('register does not give the caBundle of an API that works to others, who would replace it at once', async () => {
  const { run, caBundle, dir } = await installed('self-signed');
  expect(await run('register')).toMatchObject({ code: 0 });
  const before = await caBundle();
  const path = join(dir, 'apisvc.yaml');
  const document = parseDocument(readFileSync(path, 'utf8'));
  document.setIn(['spec', 'certificates', 'issuer'], document.createNode({ type: 'openshift-service-ca' }));
  writeFileSync(path, document.toString());
  const { code, stdout, stderr } = await run('register');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain(
    "error: APIService v1alpha1.demo.apisvc.dev works with its current caBundle, which OpenShift's service CA operator would replace before every endpoint serves a new certificate\nnothing was changed\nfix: To keep the API available, ",
  );
  expect(await caBundle()).toBe(before);
});
