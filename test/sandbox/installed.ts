import { execa } from 'execa';
import { expect, onTestFinished, vi } from 'vitest';
import { type Cluster, connect } from '../../src/cluster/cluster.ts';
import { refOf } from '../../src/cluster/objects.ts';
import { resourcePath, resources } from '../../src/cluster/resources.ts';
import { apisvc, bin, plainEnv } from '../cli/apisvc.ts';
import { signalAfter } from '../cluster/harness/signal-after.ts';
import { emptyFolder, startSandbox } from './harness.ts';

/** The API of the preset demo. */
export const name = 'v1alpha1.demo.apisvc.dev';

// biome-ignore lint/suspicious/noExplicitAny: JSON of Kubernetes objects.
export type Json = any;

const { signal } = new AbortController();

/**
 * Renews the Lease of a kube-apiserver, which the simulation does not have. Without it, --undo
 * waits for two minutes.
 */
export async function renewLease(cluster: Cluster): Promise<void> {
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
 * A sandbox with a server that somebody registered with other tools, in verified form. Its Secret
 * is not one of apisvc.
 * @param edit changes an object before it is created
 */
export async function registered(edit: (object: Json) => void = () => {}) {
  const cwd = emptyFolder();
  const box = await startSandbox(['--empty'], cwd);
  const run = (...args: string[]) => apisvc(args, { cwd, env: box.env });
  const cluster: Cluster = await connect({ kubeconfig: box.env.KUBECONFIG }, {}, signal);
  onTestFinished(() => cluster.close());
  manifests ??= await renderDemo();
  for (const object of JSON.parse(manifests).items) {
    delete object.metadata.annotations?.['apisvc.dev/registration'];
    delete object.metadata.labels?.['app.kubernetes.io/managed-by'];
    if (object.kind === 'Secret') object.metadata.name = 'their-cert';
    if (object.kind === 'Deployment') object.spec.template.spec.volumes[0].secret.secretName = 'their-cert';
    edit(object);
    const ref = refOf(object);
    const answer = await cluster.request({ method: 'POST', path: resourcePath(ref.resource, ref.namespace), body: object, signal });
    expect({ kind: object.kind, status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
  }
  const available = expect.objectContaining({ type: 'Available', status: 'True' });
  const look = async (): Promise<Json> =>
    JSON.parse((await cluster.request({ path: resourcePath(resources.APIService, undefined, name), signal })).body);
  await vi.waitFor(async () => expect((await look()).status.conditions).toContainEqual(available), { timeout: 60_000, interval: 100 });
  return { cwd, run, cluster, env: box.env };
}

/** The manifests of the preset demo as JSON, the same for all tests. */
let manifests: string | undefined;

async function renderDemo(): Promise<string> {
  const cwd = emptyFolder();
  expect(await apisvc(['init', 'theirs', '--preset', 'demo', '--yes'], { cwd })).toMatchObject({ code: 0 });
  return (await apisvc(['render', '-C', 'theirs', '--secrets', 'include', '-o', 'json'], { cwd })).stdout;
}

/** For `registered`: without verification. */
export const insecure = (object: Json): void => {
  if (object.kind === 'APIService') object.spec = { ...object.spec, caBundle: undefined, insecureSkipTLSVerify: true };
};

/**
 * As `registered`, without verification.
 * @param edit changes an object before it is created
 */
export async function installed(edit: (object: Json) => void = () => {}) {
  const { cwd, run, cluster, env } = await registered((object) => {
    insecure(object);
    edit(object);
  });
  await renewLease(cluster);
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
  /** The command is killed when it prints a line. */
  const killAt = async (line: string, ...args: string[]): Promise<void> => {
    const killed = { ...plainEnv, ...env, ...signalAfter(new RegExp(`==> ${line}`), 'SIGKILL') };
    const options = { cwd, env: killed, extendEnv: false, reject: false, stdin: 'ignore' } as const;
    expect(await execa(bin, args, options)).toMatchObject({ signal: 'SIGKILL' });
    // The process still holds the Lease, for 15 seconds.
    const path = `${resourcePath(resources.Lease, 'demo')}/apisvc-rotation-demo`;
    const body = { spec: { leaseDurationSeconds: 1 } };
    expect(await cluster.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal })).toMatchObject({
      status: 200,
    });
  };
  return { cwd, run, objects, cluster, killAt, env };
}

function plain({ metadata, status: _, ...object }: Json): Json {
  const { uid, resourceVersion, generation, managedFields, creationTimestamp, ...rest } = metadata;
  const { 'deployment.kubernetes.io/revision': __, ...annotations } = rest.annotations ?? {};
  return { ...object, metadata: { ...rest, annotations } };
}

export const withoutCa = (object: Json): void => {
  if (object.kind === 'Secret') delete object.data['ca.crt'];
};

export const lines = (text: string, pattern: RegExp): string[] => text.split('\n').filter((line) => pattern.test(line));
