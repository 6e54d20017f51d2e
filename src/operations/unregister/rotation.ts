import { wasRefused } from '../../cluster/faults.ts';
import { awaitSilence } from '../../cluster/lease-silence.ts';
import { type Collection, getObject, listMetadata } from '../../cluster/objects.ts';
import { describeRef, resources } from '../../cluster/resources.ts';
import { type RotatedService, rotationLease, rotationLeaseSelector, serviceOfLease } from '../../cluster/rotation-lease.ts';
import type { Registration } from '../../config/schema.ts';
import { RefusedError } from '../../errors.ts';
import { projectAnnotation } from '../../manifests/labels.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { noteLeaseWait } from '../rotation/lease-wait.ts';
import { serviceOf } from '../rotation/rotation.ts';
import { withoutChanges } from '../runner.ts';
import type { Target } from '../steps/target.ts';
import type { Waiting } from '../wait.ts';

/** The rotations of a project that nobody runs any more. */
export interface Rotations {
  readonly targets: readonly Target[];
  /** The Leases, if the user may not list them. */
  readonly unlisted: readonly Collection[];
  /** The Services of the project, without those that another project rotates. */
  readonly services: readonly RotatedService[];
}

/**
 * Finds the Leases of interrupted rotations of a project. A Lease that nobody renews is waited for,
 * up to its duration.
 * @param registration its configuration, if there is one
 * @param targets what was found before: its Services, and Leases that need no second look
 * @throws RefusedError while a process renews one; ClusterError when the Lease of a Service may not
 * be read
 */
export async function findRotations(
  waiting: Waiting,
  project: string,
  registration: Registration | undefined,
  targets: readonly Target[],
): Promise<Rotations> {
  const [namespace = ''] = project.split('/');
  const leases: Collection = { resource: resources.Lease, namespace, labelSelector: rotationLeaseSelector };
  const listed = await listOwn(waiting, leases, project);
  const own = registration ? [serviceOf({ registration })] : [];
  const services = [
    ...targets.flatMap(({ ref }) => (ref.resource.kind === 'Service' ? [{ namespace, name: ref.name }] : [])),
    ...(await servicesOfApis(waiting, targets)),
  ];
  const seen = new Set(targets.map(({ ref }) => describeRef(ref)));
  const refs = new Map([...own, ...services, ...(listed ?? [])].map((service) => [describeRef(rotationLease(service)), service]));
  const apiServices = registration ? [] : targets.flatMap(({ ref }) => (ref.resource.kind === 'APIService' ? [ref.name] : []));
  const look = (service: RotatedService) => targetOf(waiting, service, { project, apiServices });
  const found = await Promise.all([...refs].map(([ref, service]) => (seen.has(ref) ? undefined : look(service))));
  const all = found.filter((target) => target !== undefined);
  const others = new Set([...targets, ...all].flatMap(({ ref, otherProject }) => (otherProject === undefined ? [] : [describeRef(ref)])));
  return {
    targets: all,
    unlisted: listed ? [] : [leases],
    services: [...refs].flatMap(([ref, service]) => (others.has(ref) ? [] : [service])),
  };
}

/** The Services that the APIServices of the project lead to. Lists have only metadata. */
async function servicesOfApis({ cluster, signal }: Waiting, targets: readonly Target[]): Promise<readonly RotatedService[]> {
  const apis = targets.filter(({ ref, action }) => ref.resource.kind === 'APIService' && action !== 'leave');
  const found = await Promise.all(apis.map(({ ref }) => getObject(cluster, ref, signal)));
  return found
    .flatMap((object) => (object ? (viewApiService(object).service ?? []) : []))
    .map(({ namespace, name }) => ({ namespace, name }));
}

/** @returns the Services of the Leases; undefined if they may not be listed */
async function listOwn({ cluster, signal }: Waiting, leases: Collection, project: string): Promise<readonly RotatedService[] | undefined> {
  try {
    const listed = await listMetadata(cluster, leases, signal);
    return listed
      .filter(({ metadata }) => metadata.annotations?.[projectAnnotation] === project)
      .flatMap((lease) => serviceOfLease(lease) ?? []);
  } catch (error) {
    if (!wasRefused(error)) throw error;
    return undefined;
  }
}

interface Owner {
  readonly project: string;
  /** Its APIServices, where its configuration is elsewhere. */
  readonly apiServices: readonly string[];
}

async function targetOf(waiting: Waiting, service: RotatedService, { project, apiServices }: Owner): Promise<Target | undefined> {
  const { cluster, signal } = waiting;
  const ref = rotationLease(service);
  const lease = await getObject(cluster, ref, signal);
  if (!lease) return undefined;
  const found = await awaitSilence(cluster, { service, signal, apiServices, onWait: noteLeaseWait(waiting) }, lease).catch(refuse);
  if (!found) return undefined;
  const owner = found.metadata.annotations?.[projectAnnotation] ?? project;
  if (owner !== project) return { ref, found, action: 'leave', reason: `belongs to another project: ${owner}`, otherProject: owner };
  return { ref, found, action: 'delete', ofAnybody: true };
}

function refuse(error: unknown): never {
  throw error instanceof RefusedError ? withoutChanges(error) : error;
}
