import type { Cluster } from '../../cluster/cluster.ts';
import { NotServed, wasRefused } from '../../cluster/faults.ts';
import { type Collection, getObject, listMetadata, listObjects, refOf } from '../../cluster/objects.ts';
import { ownershipOf } from '../../cluster/ownership.ts';
import { describeRef, type ObjectRef, type Resource, resources } from '../../cluster/resources.ts';
import { rotationLease } from '../../cluster/rotation-lease.ts';
import type { Need } from '../../cluster/status.ts';
import { responsibilitiesOf } from '../../config/responsibilities.ts';
import type { Registration } from '../../config/schema.ts';
import { certManagerManifests } from '../../manifests/cert-manager.ts';
import { existingDeploymentManifests } from '../../manifests/existing-deployment.ts';
import { managedByLabel, projectAnnotation } from '../../manifests/labels.ts';
import { renderManifests } from '../../manifests/render.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { viewApiService } from '../../snapshot/views.ts';
import { caSecretRef } from '../ca-secret.ts';
import { namingAllMissing } from '../permissions.ts';
import { secretRef } from '../rotation/live.ts';
import { serviceOf } from '../rotation/rotation.ts';
import type { Target } from '../steps/target.ts';

/**
 * Every kind that a project may have, except the Namespace, in the order in which objects are
 * removed: the reverse of the order in which they are applied.
 */
const kinds: readonly Resource[] = [
  resources.APIService,
  resources.PodDisruptionBudget,
  resources.Deployment,
  resources.NetworkPolicy,
  resources.EndpointSlice,
  resources.Service,
  resources.ConfigMap,
  resources.Certificate,
  resources.Issuer,
  resources.Secret,
  resources.RoleBinding,
  resources.ClusterRoleBinding,
  resources.ClusterRole,
  resources.ServiceAccount,
];

export interface Found {
  readonly targets: readonly Target[];
  /** Kinds that the user may not list, so that objects with other names were not looked for. */
  readonly unlisted: readonly Collection[];
  /** Every project that has objects in the same places. */
  readonly projects: readonly string[];
}

interface Searching {
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
}

/**
 * Finds the objects of a project: those that carry its annotation, and those of its configuration.
 * @param project `<namespace>/<name>`, as the annotation has it
 * @param registration its configuration, if there is one
 */
export async function findProject(searching: Searching, project: string, registration: Registration | undefined): Promise<Found> {
  const { cluster, signal } = searching;
  const named = await Promise.all((registration ? refsOf(registration) : []).map((ref) => getServed(searching, ref)));
  const unlisted: Collection[] = [];
  const listed = await Promise.all(
    placesOf(project).map(async (place) => {
      try {
        return await listMetadata(cluster, place, signal);
      } catch (error) {
        if (!wasRefused(error)) throw error;
        if (isExpected(place.resource, registration)) unlisted.push(place);
        return [];
      }
    }),
  );
  const own = listed.flat().filter((object) => projectIn(object) === project);
  const all = [...own, ...named.filter((object) => object !== undefined)];
  const unique = [...new Map(all.map((object) => [describeRef(refOf(object)), object])).values()];
  const rank = ({ kind }: KubeObject): number => kinds.findIndex((each) => each.kind === kind);
  const targets = unique.toSorted((one, other) => rank(one) - rank(other)).map((object) => targetOf(object, project));
  return { targets, unlisted, projects: [...new Set(listed.flat().flatMap((object) => projectIn(object) ?? []))] };
}

/** Reads an object. Without its kind, it does not exist: cert-manager may be uninstalled first. */
const getServed = ({ cluster, signal }: Searching, ref: ObjectRef): Promise<KubeObject | undefined> =>
  getObject(cluster, ref, signal).catch((error) => {
    if (error instanceof NotServed) return undefined;
    throw error;
  });

/** Most users may not list the kinds of cert-manager, which most projects do not have. */
const isExpected = ({ apiVersion }: Resource, registration: Registration | undefined): boolean =>
  apiVersion !== resources.Certificate.apiVersion || (registration !== undefined && certManagerManifests(registration).length > 0);

const projectIn = ({ metadata }: KubeObject): string | undefined => metadata.annotations?.[projectAnnotation];

/** The permissions that removing the objects of a configuration needs. */
export const needsOf = (registration: Registration): readonly Need[] =>
  [rotationLease(serviceOf({ registration })), ...refsOf(registration)].flatMap((ref) =>
    ['get', changing(ref, registration)].map((verb) => ({ verb, ref })),
  );

/** The objects of an existing server get their former values, as far as it has them. */
const changing = ({ resource }: ObjectRef, { spec }: Registration): 'delete' | 'patch' =>
  spec.server.existing && ['APIService', 'Deployment', 'Service'].includes(resource.kind) ? 'patch' : 'delete';

/** The names of the objects in a configuration. */
function refsOf(registration: Registration): readonly ObjectRef[] {
  const { spec } = registration;
  const rendered = [...renderManifests(registration, undefined, { secrets: 'omit' }), ...existingDeploymentManifests(registration)];
  const refs = rendered.map(({ object }) => refOf(object)).filter(({ resource }) => resource.kind !== 'Namespace');
  const ca = caSecretRef(registration);
  const isOwn = !spec.server.external && responsibilitiesOf(registration).secret === 'apisvc';
  return [...refs, ...(isOwn ? [secretRef({ registration })] : []), ...(ca ? [ca] : [])];
}

/** The RoleBinding of delegated authentication is in kube-system. */
function placesOf(project: string): readonly Collection[] {
  const [namespace = ''] = project.split('/');
  const own = kinds.map((resource) => (resource.namespaced ? { resource, namespace } : { resource }));
  return namespace === 'kube-system' ? own : [...own, { resource: resources.RoleBinding, namespace: 'kube-system' }];
}

/** Decides what happens to an object. */
export function targetOf(found: KubeObject, project: string): Target {
  const ref = refOf(found);
  const owner = projectIn(found);
  if (owner === undefined) return { ref, found, action: 'leave', reason: 'does not belong to an apisvc project' };
  if (owner !== project) return { ref, found, action: 'leave', reason: `belongs to another project: ${owner}`, otherProject: owner };
  const ownership = ownershipOf(found);
  if (ownership === 'foreign') return { ref, found, action: 'leave', reason: 'was not applied by apisvc register' };
  return { ref, found, action: ownership === 'created' ? 'delete' : 'restore' };
}

/** A project of which objects are left, but no APIService. */
export interface Leftover {
  readonly project: string;
  readonly objects: readonly string[];
}

/** What is left of earlier registrations. */
export interface Leftovers {
  readonly leftovers: readonly Leftover[];
  /** The APIServices whose Service does not exist. */
  readonly orphans: readonly string[];
}

/**
 * Finds projects that have labelled objects but no APIService, and APIServices without a Service.
 * @throws ClusterError with all kinds that the user may not list
 */
export async function findLeftovers({ cluster, signal }: Searching): Promise<Leftovers> {
  const needs = labelled.map((resource) => ({ verb: 'list', ref: { resource, namespace: undefined, name: '*' } }));
  return namingAllMissing(cluster, needs, signal, async () => {
    const [leftovers, orphans] = await Promise.all([findLeftProjects({ cluster, signal }), findOrphans({ cluster, signal })]);
    return { leftovers, orphans };
  });
}

/** Every kind whose objects have the label. */
const labelled = [resources.Lease, ...kinds];

async function findLeftProjects({ cluster, signal }: Searching): Promise<readonly Leftover[]> {
  const labelSelector = `${managedByLabel}=apisvc`;
  const all = await Promise.all(labelled.map((resource) => listMetadata(cluster, { resource, labelSelector }, signal)));
  const registered = await listMetadata(cluster, { resource: resources.APIService }, signal);
  const alive = new Set(registered.map(projectIn));
  const projects = [...new Set(all.flat().map(projectIn))].filter((project) => project !== undefined && !alive.has(project));
  return (projects as string[]).map((project) => ({
    project,
    objects: all.flat().flatMap((object) => (projectIn(object) === project ? [describeRef(refOf(object))] : [])),
  }));
}

async function findOrphans({ cluster, signal }: Searching): Promise<readonly string[]> {
  const all = (await listObjects(cluster, { resource: resources.APIService }, signal)).map(viewApiService);
  const services = await listMetadata(cluster, { resource: resources.Service }, signal);
  const known = new Set(services.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
  return all.flatMap(({ name, service }) => (service && !known.has(`${service.namespace}/${service.name}`) ? [name] : []));
}
