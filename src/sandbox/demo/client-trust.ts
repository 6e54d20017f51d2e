import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../cluster/cluster.ts';
import { getObject, observe } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';

/**
 * How to authenticate the front proxy, as kube-apiserver publishes it
 * (k8s.io/kubernetes/pkg/controlplane/controller/clusterauthenticationtrust).
 */
export interface ClientTrust {
  readonly roots: readonly CertificateInfo[];
  /** The allowed common names; empty for any. */
  readonly allowedNames: readonly string[];
  /** Header names in lower case. */
  readonly headers: Readonly<Record<'user' | 'uid' | 'group', readonly string[]>>;
}

const configMap = { resource: resources.ConfigMap, namespace: 'kube-system', name: 'extension-apiserver-authentication' };
const retryMs = 5_000;

/**
 * Reads the client trust before the server starts.
 * @throws Error with the message of k8s.io/apiserver when the ConfigMap is forbidden, missing or
 * without a CA; the reason of the signal
 */
export async function loadClientTrust(cluster: Cluster, signal: AbortSignal): Promise<ClientTrust> {
  try {
    const found = await getObject(cluster, configMap, signal);
    if (!found) throw new Error(`configmaps "${configMap.name}" not found`);
    return readClientTrust(found);
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`unable to load configmap based request-header-client-ca-file: ${(cause as Error).message}`, { cause });
  }
}

/**
 * Watches the client trust until the signal aborts: CAs are rotated.
 * @param onError is called when it cannot be read; the last one stays in use
 */
export async function watchClientTrust(
  cluster: Cluster,
  { onChange, onError, signal }: { onChange: (trust: ClientTrust) => void; onError: (error: Error) => void; signal: AbortSignal },
): Promise<void> {
  // The Role extension-apiserver-authentication-reader allows to watch this name only.
  const { name, ...of } = configMap;
  const watched = { ...of, fieldSelector: `metadata.name=${name}` };
  for (;;) {
    try {
      for await (const [found] of observe(cluster, watched, signal)) if (found) onChange(readClientTrust(found));
    } catch (error) {
      signal.throwIfAborted();
      onError(error as Error);
      await sleep(retryMs, undefined, { signal });
    }
  }
}

/** @throws Error when the CA is missing, or a list is malformed */
function readClientTrust({ data }: KubeObject): ClientTrust {
  const content = (data ?? {}) as Readonly<Record<string, string | undefined>>;
  const list = (key: string): readonly string[] => (content[key] ? (JSON.parse(content[key]) as string[]) : []);
  const headers = (key: string): readonly string[] => list(key).map((name) => name.toLowerCase());
  const roots = inspect(content['requestheader-client-ca-file'] ?? '').certificates;
  if (roots.length === 0) throw new Error('missing content for CA bundle "requestheader-client-ca-file"');
  return {
    roots,
    allowedNames: list('requestheader-allowed-names'),
    headers: {
      user: headers('requestheader-username-headers'),
      uid: headers('requestheader-uid-headers'),
      group: headers('requestheader-group-headers'),
    },
  };
}
