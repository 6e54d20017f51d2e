import type { Cluster } from '../../../src/cluster/cluster.ts';

/** JSON of a Kubernetes object. */
// biome-ignore lint/suspicious/noExplicitAny: whatever the cluster has.
type Json = any;

const { signal } = new AbortController();

async function getJson(cluster: Cluster, path: string): Promise<Json> {
  const { status, body } = await cluster.request({ path, signal });
  return status === 200 ? JSON.parse(body) : {};
}

/** Every path that lists objects, of every API that answers. */
async function listPaths(cluster: Cluster): Promise<readonly string[]> {
  const { groups = [] } = await getJson(cluster, '/apis');
  const roots = ['/api/v1', ...groups.map(({ preferredVersion }: Json) => `/apis/${preferredVersion.groupVersion}`)];
  const lists = await Promise.all(
    roots.map(async (root) => {
      const { resources = [] } = await getJson(cluster, root);
      return resources.filter(({ verbs }: Json) => verbs.includes('list')).map(({ name }: Json) => `${root}/${name}`);
    }),
  );
  return lists.flat();
}

/** What controllers renew at any time, by resource. */
const renewed = /\/(events|leases|nodes|csinodes|componentstatuses|ipaddresses)$/;

/**
 * All objects of a cluster by path and name, without the fields that the server maintains.
 * ServiceAccounts and kube-root-ca.crt of controllers are objects like any other.
 */
export async function inventory(cluster: Cluster): Promise<Readonly<Record<string, Json>>> {
  const paths = (await listPaths(cluster)).filter((path) => !renewed.test(path));
  const found = await Promise.all(
    paths.map(async (path) =>
      ((await getJson(cluster, path)).items ?? []).map((object: Json) => [`${path} ${keyOf(object)}`, plain(object)]),
    ),
  );
  return Object.fromEntries(found.flat());
}

const keyOf = ({ metadata }: Json): string => `${metadata.namespace ?? ''}/${metadata.name}`;

function plain({ metadata, status: _, ...object }: Json): Json {
  const { uid, resourceVersion, generation, managedFields, creationTimestamp, ...rest } = metadata;
  return { ...object, metadata: rest };
}
