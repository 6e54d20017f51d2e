import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { observe } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { type Files, writeFolder } from './atomic-folder.ts';
import type { NodeContext } from './controller.ts';
import { contentsOf, fieldOf } from './environment.ts';
import type { Json } from './registry.ts';

/** What a pod's volume gets its files from: the files, again whenever they change, or why they are not there. */
type Source = AsyncIterable<Files | string>;

const retryMs = 1_000;
/** A kubelet asks for at most a day, and anew when 80 % are over (pkg/kubelet/token/token_manager.go). */
const tokenSeconds = 86_400;
const renewAt = 0.8;
/** Every namespace has it, where a controller makes it; its content is known without. */
const rootCa = 'kube-root-ca.crt';

/** The volume that every pod has beside its own: the token that its kubeconfig names. */
export const ownToken = { token: { path: 'token' } };

/** Volumes that are files; others are folders that begin empty. */
export const isFiles = ({ secret, configMap, projected, downwardAPI }: Json): boolean =>
  Boolean(secret ?? configMap ?? projected ?? downwardAPI);

/** Where a volume is written, and who hears of it. */
export interface Mounting {
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Why files are not there yet. */
  readonly onMissing: (words: string) => void;
  /** Once, when all of it is there for the first time. */
  readonly onMounted: () => void;
}

/** Keeps the files of a volume as its sources have them until the signal ends it. */
export async function keepVolume(
  node: NodeContext,
  pod: Json,
  volume: Json,
  { folder, signal, onMissing, onMounted }: Mounting,
): Promise<void> {
  const sources = sourcesOf({ ...node, signal }, pod, volume);
  const found = new Map<() => Source, Files>();
  let writing = Promise.resolve();
  const write = (): void => {
    writing = writing
      .then(async () => {
        if (found.size < sources.length) return;
        await writeFolder(folder, new Map(sources.flatMap((source) => [...(found.get(source) ?? [])])));
        onMounted();
      })
      .catch((error: unknown) => {
        if (!signal.aborted) node.onError(error);
      });
  };
  const keep = async (source: () => Source): Promise<void> => {
    for await (const files of lasting(source, node.onError, signal)) {
      if (typeof files === 'string') onMissing(files);
      // What was there stays when it is deleted, as with a kubelet.
      else found.set(source, files);
      write();
    }
  };
  await Promise.all(sources.map(keep));
  await writing;
}

/** A source that begins again when it breaks, until the signal ends it. */
async function* lasting(source: () => Source, onError: (error: unknown) => void, signal: AbortSignal): Source {
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

function sourcesOf(node: NodeContext, pod: Json, { secret, configMap, projected, downwardAPI, token }: Json): (() => Source)[] {
  if (token) return [() => tokenSource(node, pod, token)];
  if (secret) return [() => objectSource(node, pod, { ...secret, kind: 'Secret', name: secret.secretName })];
  if (configMap) return [() => objectSource(node, pod, { ...configMap, kind: 'ConfigMap' })];
  if (downwardAPI) return [() => downward(pod, downwardAPI)];
  return (projected.sources ?? []).map((source: Json) => () => {
    if (source.serviceAccountToken) return tokenSource(node, pod, source.serviceAccountToken);
    if (source.downwardAPI) return downward(pod, source.downwardAPI);
    return objectSource(node, pod, source.secret ? { ...source.secret, kind: 'Secret' } : { ...source.configMap, kind: 'ConfigMap' });
  });
}

async function* objectSource({ cluster, files, signal }: NodeContext, pod: Json, { kind, name, items, optional }: Json): Source {
  if (kind === 'ConfigMap' && name === rootCa) return yield new Map([['ca.crt', await readFile(files.ca.cert)]]);
  const { namespace } = pod.metadata;
  const one = { resource: resources[kind as 'Secret' | 'ConfigMap'], namespace, fieldSelector: `metadata.name=${name}` };
  for await (const [object] of observe(cluster, one, signal)) {
    if (!object && !optional) yield `${kind.toLowerCase()} "${name}" not found`;
    else yield chosen(contentsOf(object ?? {}), items, kind, optional);
  }
}

/** The entries that `items` names, at its paths; all of them without. */
function chosen(contents: Files, items: Json, kind: string, optional: boolean): Files | string {
  if (!items) return contents;
  const missing = items.find(({ key }: Json) => !contents.has(key));
  if (missing && !optional) return `references non-existent ${kind.toLowerCase()} key: ${missing.key}`;
  return new Map(items.flatMap(({ key, path }: Json) => (contents.has(key) ? [[path, contents.get(key) as Buffer]] : [])));
}

async function* downward(pod: Json, { items = [] }: Json): Source {
  yield new Map(items.map(({ path, fieldRef }: Json) => [path, Buffer.from(fieldOf(pod, fieldRef?.fieldPath ?? '') ?? '')]));
}

/** A token of the pod's ServiceAccount that is good for as long as the pod lives, always fresh. */
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
