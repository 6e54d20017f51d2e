import { getObject } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { inspect } from '../../pki/inspect.ts';
import type { Observed, RequestHeaderView } from '../types.ts';
import { type Json, textOf, textsOf } from '../views.ts';
import type { CollectContext } from './context.ts';
import { observe } from './observe.ts';

/**
 * Where kube-apiserver publishes how it authenticates
 * (k8s.io/kubernetes/pkg/controlplane/controller/clusterauthenticationtrust).
 */
export const authenticationConfigMap = {
  resource: resources.ConfigMap,
  namespace: 'kube-system',
  name: 'extension-apiserver-authentication',
};

/**
 * Reads what kube-apiserver publishes for extension API servers.
 * @throws the reason of the signal
 */
export const collectRequestHeader = (context: CollectContext): Promise<Observed<RequestHeaderView>> =>
  observe(context, () => getObject(context.cluster, authenticationConfigMap, context.signal), viewRequestHeader);

/** @param configMap the ConfigMap extension-apiserver-authentication */
export function viewRequestHeader({ data }: KubeObject & Json): RequestHeaderView {
  const entries = textsOf(data);
  return {
    clientCa: inspect(entries['requestheader-client-ca-file'] ?? '').certificates,
    allowedNames: jsonList(entries['requestheader-allowed-names']),
    usernameHeaders: jsonList(entries['requestheader-username-headers']),
    hasClientCa: inspect(entries['client-ca-file'] ?? '').certificates.length > 0,
    holdsPrivateKey: Object.values(entries).some((value) => inspect(value).items.some(({ kind }) => kind === 'private-key')),
  };
}

/** Lists are JSON in a string. */
function jsonList(value: string | undefined): string[] {
  try {
    const list: unknown = JSON.parse(value ?? '[]');
    return Array.isArray(list) ? list.map(textOf) : [];
  } catch {
    return [];
  }
}
