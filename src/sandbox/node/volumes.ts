import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { observe } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { type Files, writeFolder } from './atomic-folder.ts';
import type { NodeContext } from './controller.ts';
import { contentsOf } from './environment.ts';
import type { Json } from './registry.ts';

/** Yields the files of a volume source whenever they change, or why they are missing. */
type Source = AsyncIterable<Files | string>;

const retryMs = 1_000;
/** The kubelet renews a token after 80 % of its lifetime (pkg/kubelet/token/token_manager.go). */
const tokenSeconds = 86_400;
const renewAt = 0.8;
/** In a cluster, a controller writes this ConfigMap into every namespace. */
const rootCa = 'kube-root-ca.crt';

/** The volume with the token for the kubeconfig of a pod. */
export const ownToken = { projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } };

export interface Mounting {
  readonly folder: string;
  /** Called with the reason why files are missing. */
  readonly onMissing: (why: string) => void;
  /** Called whenever the files were written. */
  readonly onMounted: () => void;
}

/** Keeps the files of a volume up to date with its sources until the signal of the node aborts. */
export async function syncVolume(node: NodeContext, pod: Json, volume: Json, { folder, onMissing, onMounted }: Mounting): Promise<void> {
  const sources = sourcesOf(node, pod, volume);
  const found = new Map<() => Source, Files>();
  let writing = Promise.resolve();
  const write = async (): Promise<void> => {
    if (found.size < sources.length) return;
    await writeFolder(folder, new Map(sources.flatMap((source) => [...(found.get(source) ?? [])])));
    onMounted();
  };
  const sync = async (source: () => Source): Promise<void> => {
    for await (const files of retried(source, node)) {
      // As with a kubelet, the files of a deleted object stay.
      if (typeof files === 'string') onMissing(files);
      else found.set(source, files);
      writing = writing.then(write).catch((error: unknown) => void (node.signal.aborted || node.onError(error)));
    }
  };
  await Promise.all(sources.map(sync));
  await writing;
}

/** Restarts a source that fails, until the signal aborts. */
async function* retried(source: () => Source, { onError, signal }: NodeContext): Source {
  while (!signal.aborted) {
    try {
      return yield* source();
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      await sleep(retryMs, undefined, { ref: false });
    }
  }
}

/** Ignores sources that extension API servers do not use, such as downwardAPI. */
function sourcesOf(node: NodeContext, pod: Json, { secret, configMap, projected }: Json): (() => Source)[] {
  const sources: Json[] = projected?.sources ?? [secret ? { secret: { ...secret, name: secret.secretName } } : { configMap }];
  return sources.flatMap((source) => {
    if (source.serviceAccountToken) return [() => tokenSource(node, pod, source.serviceAccountToken)];
    if (source.secret) return [() => objectSource(node, pod, 'Secret', source.secret)];
    return source.configMap ? [() => objectSource(node, pod, 'ConfigMap', source.configMap)] : [];
  });
}

async function* objectSource(
  { cluster, files, signal }: NodeContext,
  { metadata: { namespace } }: Json,
  kind: 'Secret' | 'ConfigMap',
  { name, items, optional }: Json,
): Source {
  if (kind === 'ConfigMap' && name === rootCa) return yield new Map([['ca.crt', await readFile(files.ca.cert)]]);
  const watched = { resource: resources[kind], namespace, fieldSelector: `metadata.name=${name}` };
  for await (const [object] of observe(cluster, watched, signal)) {
    if (!object && !optional) yield `${kind.toLowerCase()} "${name}" not found`;
    else yield selectItems(contentsOf(object ?? {}), items, kind, optional);
  }
}

/** The entries that `items` names, at its paths; without `items`, all entries. */
function selectItems(contents: Files, items: Json, kind: string, optional: boolean): Files | string {
  if (!items) return contents;
  const missing = items.find(({ key }: Json) => !contents.has(key));
  if (missing && !optional) return `references non-existent ${kind.toLowerCase()} key: ${missing.key}`;
  return new Map(items.flatMap(({ key, path }: Json) => (contents.has(key) ? [[path, contents.get(key) as Buffer]] : [])));
}

/** Yields tokens of the pod's ServiceAccount that are bound to the pod, and renews them. */
async function* tokenSource(
  { api, signal }: NodeContext,
  { metadata, spec }: Json,
  { path, audience, expirationSeconds = tokenSeconds }: Json,
): Source {
  const account = { namespace: metadata.namespace, name: spec.serviceAccountName ?? 'default' };
  const request = {
    ...(audience === undefined ? {} : { audiences: [audience] }),
    expirationSeconds,
    boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid },
  };
  while (!signal.aborted) {
    const answer = await api.token(account, request);
    if (!answer) yield `failed to fetch token: serviceaccounts "${account.name}" not found`;
    else yield new Map([[path, Buffer.from(answer.status.token)]]);
    await sleep(answer ? Math.min(expirationSeconds, tokenSeconds) * renewAt * 1000 : retryMs, undefined, { signal, ref: false });
  }
}
