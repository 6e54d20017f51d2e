import { fieldManager } from '../cluster/apply.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { getObject } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import type { Registration } from '../config/schema.ts';
import { RefusedError } from '../errors.ts';
import { certificateArguments } from '../manifests/container.ts';
import type { KubeObject } from '../manifests/types.ts';

/**
 * A part of somebody's Deployment needs the Deployment, with the container that it speaks of: server-side apply would take it for the whole of a new one.
 * @throws RefusedError when there is no such Deployment or container, or when the container has arguments that would be lost
 */
export async function requireExisting(cluster: Cluster, { metadata, spec }: Registration, signal: AbortSignal): Promise<void> {
  const wanted = spec.server.existing?.deployment;
  if (!wanted) return;
  const ref = { resource: resources.Deployment, namespace: metadata.namespace, name: wanted.name };
  const name = `Deployment ${ref.namespace}/${ref.name}`;
  const fix = 'Correct spec.server.existing.deployment in apisvc.yaml; nothing was changed.';
  const found = await getObject(cluster, ref, signal);
  if (!found) throw new RefusedError(`there is no ${name} whose server could be given the certificate`, { fix });
  const containers = containersOf(found);
  const container = containers.find((each) => each.name === wanted.container);
  if (!container) {
    const names = containers.map((each) => each.name).join(', ');
    throw new RefusedError(`${name} has no container "${wanted.container}", only ${names}`, { fix });
  }
  const lost = ownsArguments(found, wanted.container) ? [] : foreignArguments(container.args ?? [], wanted.args);
  if (lost.length === 0) return;
  throw new RefusedError(`container "${wanted.container}" of ${name} has arguments that apisvc.yaml would take away: ${lost.join(' ')}`, {
    fix: 'Add them to spec.server.existing.deployment.args, which replaces the list that is there, or take them out of the Deployment; nothing was changed.',
  });
}

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: a Deployment as the server sends it.
const containersOf = ({ spec }: any): readonly Container[] => spec.template.spec.containers;

/** Those that nobody has thought of: neither listed nor about the certificate, which are replaced. */
function foreignArguments(present: readonly string[], listed: readonly string[]): string[] {
  const ours = new Set([...listed, ...certificateArguments(present)]);
  return present.filter((argument) => !ours.has(argument));
}

/** Whether the arguments are those that apisvc applied last: what is no longer in the list was taken out of it (KEP-555; fieldsV1 in apimachinery's meta/v1). */
function ownsArguments({ metadata }: KubeObject, container: string): boolean {
  // biome-ignore lint/suspicious/noExplicitAny: as the server sends it.
  const entries: any[] = (metadata as any).managedFields ?? [];
  const ours = entries.find(({ manager, operation }) => manager === fieldManager && operation === 'Apply');
  const containers = ours?.fieldsV1?.['f:spec']?.['f:template']?.['f:spec']?.['f:containers'];
  return containers?.[`k:${JSON.stringify({ name: container })}`]?.['f:args'] !== undefined;
}
