import type { Cluster } from '../../cluster/cluster.ts';
import { listMetadata } from '../../cluster/objects.ts';
import type { Resource } from '../../cluster/resources.ts';
import { resourceName } from '../../cluster/resources.ts';
import { ApisvcError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { type Json, listOf, textOf } from '../../snapshot/views.ts';

/** What a namespace holds besides what every namespace has. */
export interface Contents {
  /** `secrets/x`: objects that stay until somebody deletes them. */
  readonly kept: readonly string[];
  /** Objects that controllers are about to delete, because they or their owners are deleted. */
  readonly leaving: readonly string[];
  /** Kinds that could not be listed. */
  readonly unlisted: readonly string[];
}

/**
 * Lists every object in a namespace, of every kind that discovery knows.
 * @param without uids of objects to leave out
 */
export async function contentsOf(
  cluster: Cluster,
  namespace: string,
  without: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<Contents> {
  const contents = { kept: [] as string[], leaving: [] as string[], unlisted: [] as string[] };
  const { listable, stale } = await listableKinds(cluster, signal);
  contents.unlisted.push(...stale);
  await Promise.all(
    listable.map(async (resource) => {
      try {
        for (const object of await listMetadata(cluster, { resource, namespace }, signal)) {
          if (isOfEveryNamespace(resource, object) || without.has(uidOf(object))) continue;
          contents[isLeaving(resource, object) ? 'leaving' : 'kept'].push(`${resourceName(resource)}/${object.metadata.name}`);
        }
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof ApisvcError)) throw error;
        contents.unlisted.push(resourceName(resource));
      }
    }),
  );
  return { kept: contents.kept.sort(), leaving: contents.leaving.sort(), unlisted: contents.unlisted.sort() };
}

export const uidOf = ({ metadata }: KubeObject): string => textOf((metadata as Json).uid);

/** Controllers create these in every namespace. */
function isOfEveryNamespace({ plural }: Resource, { metadata }: KubeObject): boolean {
  if (plural === 'events') return true;
  if (plural === 'configmaps') return ['kube-root-ca.crt', 'openshift-service-ca.crt'].includes(metadata.name);
  return plural === 'serviceaccounts' && metadata.name === 'default';
}

/** The endpoints controller deletes Endpoints with their Service; they have no owner. */
function isLeaving({ plural, apiVersion }: Resource, { metadata }: KubeObject): boolean {
  const { deletionTimestamp, ownerReferences } = metadata as Json;
  if (deletionTimestamp !== undefined || listOf(ownerReferences).length > 0) return true;
  return (
    (plural === 'endpoints' && metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') ||
    // The metrics of a pod exist as long as the pod.
    apiVersion.startsWith('metrics.k8s.io/')
  );
}

interface Kinds {
  readonly listable: readonly Resource[];
  /** APIs that do not answer, so that their kinds are not known. */
  readonly stale: readonly string[];
}

const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Every namespaced kind with the verb `list`, in the preferred version of its group. */
async function listableKinds(cluster: Cluster, signal: AbortSignal): Promise<Kinds> {
  const answers = await Promise.all(['/api', '/apis'].map((path) => cluster.request({ path, accept, signal })));
  const found = new Map<string, Resource>();
  const stale: string[] = [];
  for (const { body } of answers) {
    const list = parsed(body);
    if (list?.kind !== 'APIGroupDiscoveryList') stale.push('all kinds: kube-apiserver does not serve aggregated discovery');
    for (const { metadata, versions } of listOf(list?.items)) {
      const group = textOf(metadata?.name);
      for (const { version, freshness, resources } of listOf(versions)) {
        const apiVersion = group === '' ? textOf(version) : `${group}/${textOf(version)}`;
        if (freshness === 'Stale') stale.push(`all kinds of ${apiVersion}`);
        for (const { resource, scope, verbs, responseKind } of listOf(resources)) {
          const key = `${group}/${textOf(resource)}`;
          if (scope !== 'Namespaced' || !(verbs ?? []).includes('list') || found.has(key)) continue;
          found.set(key, { apiVersion, kind: textOf(responseKind?.kind), plural: textOf(resource), namespaced: true });
        }
      }
    }
  }
  return { listable: [...found.values()], stale };
}

function parsed(body: string): Json {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
