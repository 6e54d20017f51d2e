import { resources } from '../../cluster/resources.ts';
import type { Api } from './api.ts';
import type { Json } from './registry.ts';

/** Folders of this machine by the mount path that stands for them. */
export type Mounts = Readonly<Record<string, string>>;

/**
 * Puts folders in the place of the mount paths that a text names: in `--tls-cert-file=/certs/tls.crt` as well as in `/certs/a:/certs/b`. A path begins where no other
 * path goes on, and ends where it does or where its last part ends; of two that fit, the deeper one counts.
 */
export function withMounts(text: string, mounts: Mounts): string {
  const paths = Object.keys(mounts).filter((path) => path !== '/' && path !== '');
  if (paths.length === 0) return text;
  const deepestFirst = paths.toSorted((one, other) => other.length - one.length).map((path) => path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return text.replace(new RegExp(`(?<![\\w./-])(${deepestFirst.join('|')})(?![\\w.-])`, 'g'), (path) => mounts[path] ?? path);
}

/** `$(NAME)` is replaced where the name is known, `$$(NAME)` stands for itself (k8s.io/kubernetes/third_party/forked/golang/expansion). */
export const expanded = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replace(/\$(\$|\(([^)]*)\))/g, (whole, after: string, name: string) => (after === '$' ? '$' : (env[name] ?? whole)));

/**
 * The environment of a container (pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables): `envFrom` first, then `env` in its order.
 * @param status of its pod, which `fieldRef` may name
 * @throws Error that names the Secret or ConfigMap, or its entry, that is not there
 */
export async function environmentOf(
  api: Pick<Api, 'get'>,
  pod: Json,
  { env = [], envFrom = [] }: Json,
  status: Json,
): Promise<Record<string, string>> {
  const { namespace } = pod.metadata;
  const result: Record<string, string> = {};
  for (const { prefix = '', secretRef, configMapRef } of envFrom) {
    const entries = await entriesOf(api, namespace, { secretRef, configMapRef });
    for (const [key, value] of Object.entries(entries)) result[prefix + key] = value;
  }
  for (const { name, value, valueFrom } of env) {
    const found = valueFrom ? await variableOf(api, { ...pod, status }, valueFrom) : expanded(value ?? '', result);
    if (found !== undefined) result[name] = found;
  }
  return result;
}

async function variableOf(
  api: Pick<Api, 'get'>,
  pod: Json,
  { fieldRef, secretKeyRef, configMapKeyRef }: Json,
): Promise<string | undefined> {
  if (fieldRef) return fieldOf(pod, fieldRef.fieldPath);
  const ref = secretKeyRef ?? configMapKeyRef;
  // Of resources there is no more than the machine has.
  if (!ref) return undefined;
  const which = secretKeyRef ? { secretRef: ref } : { configMapRef: ref };
  const value = (await entriesOf(api, pod.metadata.namespace, which))[ref.key];
  if (value === undefined && !ref.optional)
    throw new Error(`couldn't find key ${ref.key} in ${secretKeyRef ? 'Secret' : 'ConfigMap'} ${pod.metadata.namespace}/${ref.name}`);
  return value;
}

async function entriesOf(api: Pick<Api, 'get'>, namespace: string, { secretRef, configMapRef }: Json): Promise<Record<string, string>> {
  const { name, optional } = secretRef ?? configMapRef;
  const object = await api.get({ resource: secretRef ? resources.Secret : resources.ConfigMap, namespace, name });
  if (!object && !optional) throw new Error(`${secretRef ? 'secret' : 'configmap'} "${name}" not found`);
  return Object.fromEntries([...contentsOf(object ?? {})].map(([key, value]) => [key, value.toString()]));
}

/** The entries of a Secret or ConfigMap. */
export const contentsOf = ({ kind, data = {}, binaryData = {} }: Json): ReadonlyMap<string, Buffer> =>
  new Map([
    ...Object.entries<string>(data).map(([key, value]) => [key, Buffer.from(value, kind === 'Secret' ? 'base64' : 'utf8')] as const),
    ...Object.entries<string>(binaryData).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
  ]);

/** `metadata.name`, `status.podIP`, `metadata.labels['app']` (pkg/fieldpath/fieldpath.go). */
export function fieldOf(pod: Json, path: string): string | undefined {
  const [, map, key] = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path) ?? [];
  if (map !== undefined) return pod.metadata[map]?.[key ?? ''] ?? '';
  const value = path.split('.').reduce((part, name) => part?.[name], pod);
  return typeof value === 'string' ? value : undefined;
}
