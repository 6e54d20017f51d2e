import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Cluster, connect } from '../../src/cluster/cluster.ts';
import { refOf } from '../../src/cluster/objects.ts';
import { resourcePath, resources } from '../../src/cluster/resources.ts';
import { journalAnnotation, rotationLease } from '../../src/cluster/rotation-lease.ts';
import { apisvc, bin, plainEnv } from '../cli/apisvc.ts';
import { emptyFolder, startSandbox } from './harness.ts';

const name = 'v1alpha1.demo.apisvc.dev';

// biome-ignore lint/suspicious/noExplicitAny: JSON of Kubernetes objects.
type Json = any;

const { signal } = new AbortController();

/**
 * Renews the Lease of a kube-apiserver, which the simulation does not have. Without it, --undo
 * waits for a minute.
 */
async function renewLease(cluster: Cluster): Promise<void> {
  const path = resourcePath(resources.Lease, 'kube-system');
  const name = 'apiserver-simulated';
  const metadata = { name, namespace: 'kube-system', labels: { 'apiserver.kubernetes.io/identity': 'kube-apiserver' } };
  const spec = () => ({ holderIdentity: name, renewTime: `${new Date().toISOString().slice(0, -1)}000Z` });
  const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: spec() };
  expect(await cluster.request({ method: 'POST', path, body, signal })).toMatchObject({ status: 201 });
  const timer = setInterval(() => {
    const renewal: Parameters<Cluster['request']>[0] = {
      method: 'PATCH',
      path: `${path}/${name}`,
      contentType: 'application/merge-patch+json',
      body: { spec: spec() },
      signal,
    };
    cluster.request(renewal).catch(() => {});
  }, 1_000);
  onTestFinished(() => clearInterval(timer));
}

/**
 * A sandbox with a server that somebody installed without verification. Its Secret is not one of
 * apisvc.
 * @param edit changes an object before it is created
 */
async function installed(edit: (object: Json) => void = () => {}) {
  const cwd = emptyFolder();
  const box = await startSandbox(['--empty'], cwd);
  const run = (...args: string[]) => apisvc(args, { cwd, env: box.env });
  const cluster: Cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, signal);
  onTestFinished(() => cluster.close());
  await renewLease(cluster);
  expect(await run('init', 'theirs', '--preset', 'demo', '--yes')).toMatchObject({ code: 0 });
  const { stdout } = await run('render', '-C', 'theirs', '--secrets', 'include', '-o', 'json');
  rmSync(join(cwd, 'theirs'), { recursive: true });
  for (const object of JSON.parse(stdout).items) {
    delete object.metadata.annotations?.['apisvc.dev/registration'];
    delete object.metadata.labels?.['app.kubernetes.io/managed-by'];
    if (object.kind === 'Secret') object.metadata.name = 'their-cert';
    if (object.kind === 'Deployment') object.spec.template.spec.volumes[0].secret.secretName = 'their-cert';
    if (object.kind === 'APIService') object.spec = { ...object.spec, caBundle: undefined, insecureSkipTLSVerify: true };
    edit(object);
    const ref = refOf(object);
    const answer = await cluster.request({ method: 'POST', path: resourcePath(ref.resource, ref.namespace), body: object, signal });
    expect({ kind: object.kind, status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
  }
  await vi.waitFor(async () => expect(await run('verify', name)).toMatchObject({ code: 0 }), { timeout: 25_000, interval: 300 });
  const objects = async () => {
    const lists = await Promise.all(
      [resources.Deployment, resources.Service, resources.Secret].map(async (resource) => {
        const { body } = await cluster.request({ path: resourcePath(resource, 'demo'), signal });
        return JSON.parse(body).items;
      }),
    );
    const { body } = await cluster.request({ path: resourcePath(resources.APIService, undefined, name), signal });
    return [...lists.flat(), JSON.parse(body)].map(plain);
  };
  /** Kills the command when it prints a line. */
  const killAt = async (line: string, ...args: string[]): Promise<void> => {
    const running = execa(bin, args, { cwd, env: { ...plainEnv, ...box.env }, extendEnv: false, reject: false, stdin: 'ignore' });
    let stderr = '';
    running.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk;
      if (stderr.includes(`==> ${line}`)) running.kill('SIGKILL');
    });
    expect(await running).toMatchObject({ signal: 'SIGKILL' });
    // The process still holds the Lease, for 15 seconds.
    const path = `${resourcePath(resources.Lease, 'demo')}/apisvc-rotation-demo`;
    const body = { spec: { leaseDurationSeconds: 1 } };
    expect(await cluster.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal })).toMatchObject({
      status: 200,
    });
  };
  return { cwd, run, objects, cluster, killAt };
}

function plain({ metadata, status: _, ...object }: Json): Json {
  const { uid, resourceVersion, generation, managedFields, creationTimestamp, ...rest } = metadata;
  const { 'deployment.kubernetes.io/revision': __, ...annotations } = rest.annotations ?? {};
  return { ...object, metadata: { ...rest, annotations } };
}

const withoutCa = (object: Json): void => {
  if (object.kind === 'Secret') delete object.data['ca.crt'];
};

const lines = (text: string, pattern: RegExp): string[] => text.split('\n').filter((line) => pattern.test(line));

test('a server gets a certificate beside what it has, and --undo restores all objects', async () => {
  const { cwd, run, objects } = await installed(withoutCa);
  const before = await objects();
  const diff = await run('secure', name, '--diff');
  expect({ code: diff.code, stderr: diff.stderr }).toMatchObject({ code: 1 });
  expect(lines(diff.stdout, /^[-+] +- --tls/)).toEqual([
    '-            - --tls-cert-file=/var/run/serving-cert/tls.crt',
    '-            - --tls-private-key-file=/var/run/serving-cert/tls.key',
    '+            - --tls-cert-file=/var/run/apisvc/serving-cert/tls.crt',
    '+            - --tls-private-key-file=/var/run/apisvc/serving-cert/tls.key',
  ]);
  expect(await run('secure', name)).toEqual({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('error: required flag "--yes" not set\nfix: Add --yes.\n'),
  });
  expect(existsSync(join(cwd, 'demo'))).toBe(false);
  expect(await objects()).toEqual(before);

  const secured = await run('secure', name, '--yes', '-o', 'json');
  expect({ code: secured.code, stderr: secured.stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(secured.stdout)).toMatchObject({
    apiVersion: 'apisvc.dev/secure/v1alpha1',
    outcome: 'secured',
    name,
    project: 'demo',
    applied: [
      { object: 'secret/demo/demo-tls', change: 'created' },
      { object: 'deployment/demo/demo', change: 'configured' },
      { object: `apiservice/${name}`, change: 'configured' },
    ],
    diagnosis: { verdict: 'healthy' },
  });
  expect(secured.stdout + secured.stderr + diff.stdout).not.toContain('PRIVATE KEY');
  expect(readdirSync(join(cwd, 'demo', 'certs')).sort()).toEqual(['.gitignore', 'ca.crt', 'ca.key', 'tls.crt', 'tls.key']);
  expect(await run('verify', '-C', 'demo')).toMatchObject({ code: 0 });
  expect(await run('secure', name)).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to do.') });

  const undone = await run('secure', name, '--undo', '--yes');
  expect({ code: undone.code, stdout: undone.stdout, stderr: undone.stderr }).toMatchObject({
    code: 0,
    stdout: '1 deleted, 2 restored.\nThe project in demo stays. To remove it: rm -r demo\n',
  });
  expect(await objects()).toEqual(before);
  expect(existsSync(join(cwd, 'demo', 'apisvc.yaml'))).toBe(true);
  expect(await run('secure', name, '--undo')).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing to undo.') });

  // The project is still there, and so are its certificates.
  expect(await run('secure', name, '--yes')).toMatchObject({ code: 0 });
  expect(await run('verify', '-C', 'demo')).toMatchObject({ code: 0 });
});

test.each([8443, 'https'])('a rolling restart gives the new pod another port of this host (targetPort %s)', async (targetPort) => {
  const { run } = await installed((object) => {
    withoutCa(object);
    if (object.kind === 'Service') object.spec.ports[0].targetPort = targetPort;
  });
  const { code, stderr } = await run('secure', name, '--yes', '--timeout', '60s');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(await run('secure', name, '--undo', '--yes')).toMatchObject({ code: 0 });
});

test('a server whose Secret has a CA that verifies it needs only the APIService', async () => {
  const { cwd, run, objects } = await installed();
  const before = await objects();
  const { code, stdout, stderr } = await run('secure', name, '--yes', '-o', 'json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(stdout)).toMatchObject({
    secret: 'demo/their-cert',
    applied: [{ object: `apiservice/${name}`, change: 'configured' }],
    diagnosis: { verdict: 'healthy' },
  });
  expect(readdirSync(cwd).filter((each) => !each.startsWith('tmp-'))).toEqual([]);
  expect(await run('secure', name, '--undo', '--yes')).toMatchObject({ code: 0, stdout: '1 restored.\n' });
  expect(await objects()).toEqual(before);
});

test('what cannot be secured is refused with the reason', async () => {
  const { run, cluster } = await installed((object) => {
    withoutCa(object);
    if (object.kind === 'APIService') object.metadata.annotations = { 'cert-manager.io/inject-ca-from': 'demo/demo' };
  });
  expect(await run('secure', 'v1.apps', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('APIService v1.apps is Local'),
  });
  expect(await run('secure', 'v1alpha1.demo.apisvc.de', '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`Did you mean ${name}?`),
  });
  expect(await run('secure', name, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`apiservice/${name} has the annotation cert-manager.io/inject-ca-from`),
  });
  const patch = async (path: string, body: object) =>
    expect((await cluster.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal })).status).toBe(200);
  const api = resourcePath(resources.APIService, undefined, name);
  await patch(api, {
    metadata: {
      annotations: { 'cert-manager.io/inject-ca-from': null },
      labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' },
    },
  });
  expect(await run('secure', name, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('kube-apiserver manages this APIService'),
  });
  await patch(api, { metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': null } } });
  await patch(resourcePath(resources.Service, 'demo', 'demo'), { spec: { selector: null } });
  expect(await run('secure', name, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Service demo/demo has no selector'),
  });
});

test('nothing is changed while a rotation is not complete', async () => {
  const { run, objects, cluster } = await installed(withoutCa);
  const before = await objects();
  const journal = { kind: 'leaf', direction: 'forward', step: 'secret', number: 2, steps: 4, title: 'Writing the Secret' };
  const started = { started: '2026-11-28T10:00:00Z', holder: 'alice@laptop' };
  const body = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      ...rotationLease({ namespace: 'demo', name: 'demo' }),
      resource: undefined,
      annotations: { [journalAnnotation]: JSON.stringify({ ...journal, ...started }) },
    },
    spec: { holderIdentity: '' },
  };
  expect(await cluster.request({ method: 'POST', path: resourcePath(resources.Lease, 'demo'), body, signal })).toMatchObject({
    status: 201,
  });
  expect(await run('secure', name, '--yes')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/alice@laptop ran it last\nnothing was changed\nfix: .*\n.*apisvc rotate -C demo --abort\n$/),
  });
  expect(await objects()).toEqual(before);
});

test('a run that was killed is continued by the next one', async () => {
  const { run, objects, killAt, cluster } = await installed(withoutCa);
  const before = await objects();
  for (const line of ['Adding the certificate', 'Waiting for the rollout', 'Turning on verification']) {
    await killAt(line, 'secure', name, '--yes');
  }
  expect(await run('secure', name, '--yes')).toMatchObject({ code: 0 });
  expect(await run('verify', '-C', 'demo')).toMatchObject({ code: 0 });
  for (const line of ['Turning off verification', 'Waiting for every kube-apiserver', 'Waiting for the rollout', 'Removing the Secret']) {
    await killAt(line, 'secure', name, '--undo', '--yes');
  }
  // Without --yes, only the first look runs.
  const looked = await run('secure', name, '--undo');
  expect(lines(looked.stderr, /holds the Lease/)).toHaveLength(1);
  const { code, stderr } = await run('secure', name, '--undo', '--yes');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(lines(stderr, /holds the Lease/)).toHaveLength(1);
  expect(await objects()).toEqual(before);
  expect(await cluster.request({ path: `${resourcePath(resources.Lease, 'demo')}/apisvc-rotation-demo`, signal })).toMatchObject({
    status: 404,
  });
});
