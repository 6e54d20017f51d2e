import type { Cluster } from '../cluster/cluster.ts';
import { getObject } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import type { Registration } from '../config/schema.ts';
import { RefusedError } from '../errors.ts';
import { withArguments } from '../manifests/existing-deployment.ts';
import type { KubeObject } from '../manifests/types.ts';

/**
 * Completes the part of an existing Deployment with the arguments that its container has in the
 * cluster. All other objects stay as they are. Without the Deployment, server-side apply would
 * create one from the part.
 * @returns `objects`, in the same order
 * @throws RefusedError when the Deployment or its container does not exist
 */
export async function completeExistingDeployment(
  cluster: Cluster,
  registration: Registration,
  objects: readonly KubeObject[],
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const wanted = registration.spec.server.existing?.deployment;
  if (!wanted) return objects;
  const ref = { resource: resources.Deployment, namespace: registration.metadata.namespace, name: wanted.name };
  const fix = 'Correct spec.server.existing.deployment in apisvc.yaml.';
  const found = await getObject(cluster, ref, signal);
  if (!found) throw new RefusedError(`Deployment "${ref.name}" not found in namespace "${ref.namespace}"`, { fix });
  const containers = containersOf(found);
  const container = containers.find(({ name }) => name === wanted.container);
  if (!container) {
    const names = containers.map(({ name }) => `"${name}"`).join(', ');
    const message = `container "${wanted.container}" not found in Deployment "${ref.name}" in namespace "${ref.namespace}": it has ${names}`;
    throw new RefusedError(message, { fix });
  }
  return objects.map((object) => (object.kind === 'Deployment' ? withArguments(object, registration, container.args ?? []) : object));
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: a Deployment as the server sends it.
const containersOf = ({ spec }: any): readonly Container[] => spec.template.spec.containers;
