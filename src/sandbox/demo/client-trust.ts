import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../../cluster/cluster.ts';
import { getObject, observe } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { inspect } from '../../pki/inspect.ts';
import type { CertificateInfo } from '../../pki/types.ts';

/** Whom the server believes, as kube-apiserver publishes it (k8s.io/kubernetes/pkg/controlplane/controller/clusterauthenticationtrust). */
export interface ClientTrust {
  /** Who may say of others who they are: certificates of these CAs, with one of these common names unless there are none. */
  readonly frontProxy: { readonly roots: readonly CertificateInfo[]; readonly allowedNames: readonly string[] };
  /** The headers in which the front proxy says it; names and prefixes in small letters. */
  readonly headers: Readonly<Record<'user' | 'uid' | 'group' | 'extraPrefix', readonly string[]>>;
  /** Who may speak for themselves: certificates of these CAs. */
  readonly clientRoots: readonly CertificateInfo[];
}

const configMap = { resource: resources.ConfigMap, namespace: 'kube-system', name: 'extension-apiserver-authentication' };
const pauseMs = 5_000;

/**
 * Looks up whom to believe, before the first request is served. @throws Error with the words of k8s.io/apiserver when it can't be read (no right, no such ConfigMap) or
 * names no CA of the front proxy; the signal's reason
 */
export async function lookUpClientTrust(cluster: Cluster, signal: AbortSignal): Promise<ClientTrust> {
  try {
    const found = await getObject(cluster, configMap, signal);
    if (!found) throw new Error(`configmaps "${configMap.name}" not found`);
    return readClientTrust(found);
  } catch (cause) {
    signal.throwIfAborted();
    throw new Error(`unable to load configmap based request-header-client-ca-file: ${(cause as Error).message}`, { cause });
  }
}

/** Watches whom to believe, for CAs are renewed too. Ends with the signal. @param failed - is told why it can't be seen just now; what was seen last stays */
export async function followClientTrust(
  cluster: Cluster,
  { use, failed, signal }: { use: (trust: ClientTrust) => void; failed: (error: Error) => void; signal: AbortSignal },
): Promise<void> {
  // The Role extension-apiserver-authentication-reader grants the watch of this name alone.
  const { name, ...of } = configMap;
  const watched = { ...of, fieldSelector: `metadata.name=${name}` };
  for (;;) {
    try {
      for await (const [found] of observe(cluster, watched, signal)) if (found) use(readClientTrust(found));
    } catch (error) {
      signal.throwIfAborted();
      failed(error as Error);
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

/** @throws Error when the CA of the front proxy is not there, or a list is no list */
export function readClientTrust({ data }: KubeObject): ClientTrust {
  const content = (data ?? {}) as Readonly<Record<string, string | undefined>>;
  const list = (key: string): readonly string[] => (content[key] ? (JSON.parse(content[key]) as string[]) : []);
  const small = (key: string): readonly string[] => list(key).map((name) => name.toLowerCase());
  const roots = inspect(content['requestheader-client-ca-file'] ?? '').certificates;
  if (roots.length === 0) throw new Error('missing content for CA bundle "requestheader-client-ca-file"');
  return {
    frontProxy: { roots, allowedNames: list('requestheader-allowed-names') },
    headers: {
      user: small('requestheader-username-headers'),
      uid: small('requestheader-uid-headers'),
      group: small('requestheader-group-headers'),
      extraPrefix: small('requestheader-extra-headers-prefix'),
    },
    clientRoots: inspect(content['client-ca-file'] ?? '').certificates,
  };
}
