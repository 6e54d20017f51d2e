import { expect } from 'vitest';
import { makeAnyApiProject } from './any-api-project.ts';
import { apisvc } from './commands.ts';
import { kubectlOk } from './projects.ts';
import { apiServiceNameOf } from './registrations.ts';
import type { LoadOptions } from './start-load.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON of Kubernetes objects.
type Json = any;

export interface InstalledOptions {
  readonly name: string;
  readonly replicas?: number;
  readonly flags?: readonly string[];
  /** Changes an object before it is applied. */
  readonly edit?: (object: Json) => void;
}

export interface Installed {
  readonly apiService: string;
  readonly target: Pick<LoadOptions, 'path' | 'object'>;
}

/**
 * Installs components/any-api as its authors might: without apisvc, with a certificate that it
 * signs itself, and with insecureSkipTLSVerify. The Deployment rolls out gracefully.
 */
export async function installInsecure({ name, replicas = 3, flags = [], edit }: InstalledOptions): Promise<Installed> {
  const { dir, target } = await makeAnyApiProject({ name, replicas, flags });
  const rendered = await apisvc(['render', '-C', dir, '--secrets', 'omit', '-o', 'json']);
  expect(rendered).toMatchObject({ exitCode: 0 });
  const { items } = JSON.parse(rendered.stdout);
  for (const object of items) {
    foreign(object);
    if (object.kind === 'Deployment') withOwnCertificate(object);
    if (object.kind === 'APIService') {
      delete object.spec.caBundle;
      object.spec.insecureSkipTLSVerify = true;
    }
    edit?.(object);
  }
  const apply = (wanted: readonly Json[]) => kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: wanted });
  // The API goes last: while one of the cluster is unavailable, rotations of other specs wait.
  await apply(items.filter(({ kind }: Json) => kind !== 'APIService'));
  await kubectlOk(['rollout', 'status', `deployment/${name}`, '-n', name, '--timeout=80s']);
  await apply(items.filter(({ kind }: Json) => kind === 'APIService'));
  const apiService = apiServiceNameOf(name);
  await kubectlOk(['wait', '--for=condition=Available', `apiservice/${apiService}`, '--timeout=80s']);
  return { apiService, target };
}

function foreign({ metadata }: Json): void {
  delete metadata.annotations?.['apisvc.dev/registration'];
  if (metadata.labels) delete metadata.labels['app.kubernetes.io/managed-by'];
}

function withOwnCertificate({ spec }: Json): void {
  const pod = spec.template.spec;
  const [container] = pod.containers;
  delete spec.template.metadata.labels['app.kubernetes.io/managed-by'];
  container.args = [...container.args.filter((argument: string) => !argument.startsWith('--tls-')), '--cert-dir=/certificates'];
  container.volumeMounts = [{ name: 'certificates', mountPath: '/certificates' }];
  pod.volumes = [{ name: 'certificates', emptyDir: {} }];
}

/** The objects of a server as they are, without what the cluster maintains. */
export async function objectsBehind(namespace: string, apiServices: readonly string[], selector?: string): Promise<readonly Json[]> {
  const listed = ['get', 'deployments,services,secrets,configmaps', '-n', namespace, '-o', 'json', ...(selector ? ['-l', selector] : [])];
  const { items } = JSON.parse(await kubectlOk(listed));
  const apis = await Promise.all(apiServices.map(async (name) => JSON.parse(await kubectlOk(['get', 'apiservice', name, '-o', 'json']))));
  return [...items, ...apis].map(plain);
}

function plain({ metadata, status: _, ...object }: Json): Json {
  const { uid, resourceVersion, generation, managedFields, creationTimestamp, ...rest } = metadata;
  const { 'deployment.kubernetes.io/revision': __, ...annotations } = rest.annotations ?? {};
  return { ...object, metadata: { ...rest, annotations } };
}
