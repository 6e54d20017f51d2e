import { resources } from '../../cluster/resources.ts';
import type { Api } from './api.ts';
import type { Json } from './registry.ts';

/** Folders of this host by mount path. */
export type Mounts = Readonly<Record<string, string>>;

/**
 * Replaces mount paths by folders, as in `--tls-cert-file=/certs/tls.crt` and `/certs/a:/certs/b`.
 * Only whole path elements match, and the longest mount path wins.
 */
export function withMounts(text: string, mounts: Mounts): string {
  const paths = Object.keys(mounts).filter((path) => path !== '/' && path !== '');
  if (paths.length === 0) return text;
  const deepestFirst = paths.toSorted((one, other) => other.length - one.length).map((path) => path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return text.replace(new RegExp(`(?<![\\w./-])(${deepestFirst.join('|')})(?![\\w.-])`, 'g'), (path) => mounts[path] ?? path);
}

/**
 * Expands `$(NAME)` where the name is known; `$$(NAME)` is an escape
 * (k8s.io/kubernetes/third_party/forked/golang/expansion).
 */
export const expanded = (text: string, env: Readonly<Record<string, string>>): string =>
  text.replace(/\$(\$|\(([^)]*)\))/g, (whole, after: string, name: string) => (after === '$' ? '$' : (env[name] ?? whole)));

/**
 * The variables in `env` of a container (pkg/kubelet/kubelet_pods.go, makeEnvironmentVariables).
 * `fieldRef` supports fields whose value is a string; resourceFieldRef and envFrom are ignored.
 * @param pod with its status, which `fieldRef` may name
 * @throws Error that names the missing Secret or ConfigMap, or its missing key
 */
export async function environmentOf(api: Pick<Api, 'get'>, pod: Json, { env = [] }: Json): Promise<Record<string, string>> {
  const result: Record<string, string> = {};
  for (const { name, value, valueFrom } of env) {
    const found = valueFrom ? await variableOf(api, pod, valueFrom) : expanded(value ?? '', result);
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
  if (!ref) return undefined;
  const kind = secretKeyRef ? 'Secret' : 'ConfigMap';
  const { namespace } = pod.metadata;
  const object = await api.get({ resource: resources[kind], namespace, name: ref.name });
  if (!object && !ref.optional) throw new Error(`${kind.toLowerCase()} "${ref.name}" not found`);
  const value = contentsOf(object ?? {}).get(ref.key);
  if (value === undefined && !ref.optional) throw new Error(`couldn't find key ${ref.key} in ${kind} ${namespace}/${ref.name}`);
  return value?.toString();
}

/** The entries of a Secret or ConfigMap. */
export const contentsOf = ({ kind, data = {}, binaryData = {} }: Json): ReadonlyMap<string, Buffer> =>
  new Map([
    ...Object.entries<string>(data).map(([key, value]) => [key, Buffer.from(value, kind === 'Secret' ? 'base64' : 'utf8')] as const),
    ...Object.entries<string>(binaryData).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
  ]);

/** For example `metadata.name` and `status.podIP`. */
function fieldOf(pod: Json, path: string): string | undefined {
  const value = path.split('.').reduce((part, name) => part?.[name], pod);
  return typeof value === 'string' ? value : undefined;
}
