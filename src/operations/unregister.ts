import type { Cluster } from '../cluster/cluster.ts';
import { deleteAnyObject, deleteObject } from '../cluster/deletion.ts';
import { wasRefused } from '../cluster/faults.ts';
import { type Collection, getObject, listMetadata, refOf } from '../cluster/objects.ts';
import { ownershipOf } from '../cluster/ownership.ts';
import { describeRef, resourceName, resources } from '../cluster/resources.ts';
import { restoreObject } from '../cluster/restore.ts';
import type { Holder, RotatedService } from '../cluster/rotation-lease.ts';
import type { Need } from '../cluster/status.ts';
import type { Registration } from '../config/schema.ts';
import { projectAnnotation, projectOf } from '../manifests/labels.ts';
import type { KubeObject } from '../manifests/types.ts';
import { nameOfCaSecret } from './ca-secret.ts';
import { namingAllMissing, requireAccess } from './permissions.ts';
import type { OnProgress, RemovedObject } from './progress.ts';
import { runSteps, type Step } from './runner.ts';
import { contentsOf, uidOf } from './steps/contents.ts';
import { namespaceStep, whyKept } from './steps/namespace.ts';
import { type RemoveStep, removeStep } from './steps/remove.ts';
import { rolledOutStep } from './steps/rollout.ts';
import type { Target } from './steps/target.ts';
import { unlistedStep } from './steps/unlisted.ts';
import { caSecretsIn } from './unregister/ca-secrets.ts';
import { proveDead } from './unregister/dead.ts';
import { findProject, needsOf as needsOfRegistration } from './unregister/find.ts';
import { type RemoveLock, whileLocked } from './unregister/lock.ts';
import { apiServiceNotFound, projectNotFound, refuseOtherProjects, refuseSameName } from './unregister/refusals.ts';
import { findRotations } from './unregister/rotation.ts';
import { untilFresh, type Waiting } from './wait.ts';

/** What to unregister. */
export type Subject =
  | { readonly registration: Registration }
  /** `<namespace>/<name>` of a project whose directory is elsewhere. */
  | { readonly project: string }
  /** The name of an APIService. */
  | { readonly apiService: string };

export interface UnregisterRequest {
  readonly subject: Subject;
  readonly keepSecrets: boolean;
  /** The plan that the user confirmed. Without it, the run makes one. */
  readonly plan?: Plan | undefined;
  readonly holder: Holder;
  /** Aborted by the deadline or by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** What `unregister` is going to do. */
export interface Plan {
  /** Undefined for the APIService of anybody. */
  readonly project: string | undefined;
  /** In the order in which they are removed. */
  readonly targets: readonly Target[];
  /** The Services whose Leases the run holds. */
  readonly services: readonly RotatedService[];
  /** The Namespace of the project, if apisvc created it. */
  readonly namespace?: KubeObject;
  /** Why the APIService of anybody is dead, one sentence each. */
  readonly evidence: readonly string[];
}

/**
 * Finds what belongs to the subject, and what happens to it. Changes nothing.
 * @throws RefusedError for an APIService or a project that does not exist, for objects of another
 * project, and for an APIService of others that is not dead
 */
export async function planUnregister(cluster: Cluster, request: UnregisterRequest): Promise<Plan> {
  const { subject, keepSecrets, signal, onProgress } = request;
  const registration = 'registration' in subject ? subject.registration : undefined;
  const named = 'apiService' in subject ? await requireApiService(cluster, subject.apiService, signal) : undefined;
  const project = 'project' in subject ? subject.project : registration ? projectOf(registration) : ownProject(named);
  if (project === undefined) {
    const found = named as KubeObject;
    const evidence = await proveDead(cluster, found, signal);
    const ref = { resource: resources.APIService, namespace: undefined, name: found.metadata.name };
    return { project, targets: [{ ref, found, action: 'delete', ofAnybody: true }], services: [], evidence };
  }
  const waiting: Waiting = { cluster, signal, onProgress };
  const look = async () => {
    const found = await findProject(waiting, project, registration);
    return { found, rotations: await findRotations(waiting, project, registration, found.targets) };
  };
  const { found, rotations } = await namingAllMissing(cluster, registration ? needsOfRegistration(registration) : [], signal, look);
  const targets = [...rotations.targets, ...found.targets];
  const unlisted = [...rotations.unlisted, ...found.unlisted];
  const namespace = await ownNamespace(cluster, project, request);
  const others = found.projects.some((other) => other.startsWith(`${project.split('/')[0]}/`));
  // An interrupted run may have left only the Namespace, which has no annotation.
  if ('project' in subject && targets.length === 0 && (others || !namespace)) throw await projectNotFound(cluster, project, found, signal);
  refuseOtherProjects(targets);
  if (registration) refuseSameName(project, registration, targets);
  if (unlisted.length > 0)
    onProgress({ kind: 'note', what: `not allowed to list ${unlisted.map(placeOf).join(', ')}, so leftovers may remain` });
  if (!keepSecrets) {
    for (const { ref } of await caSecretsIn(waiting, targets)) {
      const what = `${nameOfCaSecret(ref)} has the only copy of the private key of the CA, which is deleted too; to keep it, use --keep-secrets`;
      onProgress({ kind: 'note', what });
    }
  }
  const kept = ({ ref, action }: Target): boolean => keepSecrets && ref.resource.kind === 'Secret' && action !== 'leave';
  return {
    project,
    ...(namespace ? { namespace } : {}),
    targets: targets.map((target) => (kept(target) ? { ...target, action: 'leave', reason: '--keep-secrets' } : target)),
    services: rotations.services,
    evidence: [],
  };
}

/**
 * Few users may read namespaces, and a namespace that they may not read was not created by them.
 */
async function ownNamespace(cluster: Cluster, project: string, { signal, onProgress }: UnregisterRequest): Promise<KubeObject | undefined> {
  const [name = ''] = project.split('/');
  try {
    const found = await getObject(cluster, { resource: resources.Namespace, namespace: undefined, name }, signal);
    return found && ownershipOf(found) === 'created' ? found : undefined;
  } catch (error) {
    if (!wasRefused(error)) throw error;
    onProgress({ kind: 'note', what: `not allowed to get namespace ${name}, so it is not deleted` });
    return undefined;
  }
}

const ownProject = (found: KubeObject | undefined): string | undefined =>
  found && ownershipOf(found) !== 'foreign' ? found.metadata.annotations?.[projectAnnotation] : undefined;

async function requireApiService(cluster: Cluster, name: string, signal: AbortSignal): Promise<KubeObject> {
  const found = await getObject(cluster, { resource: resources.APIService, namespace: undefined, name }, signal);
  if (found) return found;
  const all = await listMetadata(cluster, { resource: resources.APIService }, signal);
  const known = all.map(({ metadata }) => metadata.name);
  throw apiServiceNotFound(name, known);
}

const placeOf = ({ resource, namespace }: Collection): string =>
  `${resourceName(resource)}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;

/**
 * Removes a registration: the APIServices first, then the rest in the reverse of the order in which
 * it was applied. Objects that existed before get their former values. A second run continues. No
 * rotation of the Service starts before the objects are gone.
 * @throws ClusterError when permissions are missing, before anything changes; DeadlineError with
 * what it waited for; as `planUnregister`
 */
export async function unregister(cluster: Cluster, request: UnregisterRequest): Promise<readonly RemovedObject[]> {
  const { signal, onProgress, holder } = request;
  const waiting: Waiting = { cluster, signal, onProgress };
  onProgress({ kind: 'step', what: `Looking for objects in ${cluster.server} (context "${cluster.context}")` });
  const plan = await planToRun(cluster, request);
  await requireAccess(cluster, needsOf(allSteps(waiting, plan)), [], signal);
  const left = plan.targets.flatMap(leftOf);
  for (const removed of left) onProgress({ kind: 'removed', removed });
  const run = async (steps: readonly Step[]): Promise<readonly RemovedObject[]> => {
    await runSteps(steps, onProgress);
    return steps.flatMap((step) => ('removed' in step ? (step as RemoveStep).removed() : []));
  };
  const { project = '', services, targets } = plan;
  const { result, removed } = await whileLocked(waiting, { project, holder, services, targets }, (lock) =>
    run(stepsOf({ ...waiting, signal: lock.signal }, plan, lock)),
  );
  // The Leases are in the Namespace.
  return [...removed, ...result, ...(await run(namespaceSteps(waiting, plan))), ...left];
}

/** @throws RefusedError when a rotation began while the user read the plan; as `planUnregister` */
async function planToRun(cluster: Cluster, request: UnregisterRequest): Promise<Plan> {
  const { plan, subject } = request;
  if (!plan) return planUnregister(cluster, request);
  const registration = 'registration' in subject ? subject.registration : undefined;
  if (plan.project !== undefined) await findRotations({ ...request, cluster }, plan.project, registration, plan.targets);
  return plan;
}

const allSteps = (waiting: Waiting, plan: Plan): readonly Step[] => [...stepsOf(waiting, plan), ...namespaceSteps(waiting, plan)];

const needsOf = (steps: readonly Step[]): readonly Need[] => steps.flatMap((step) => step.needs());

const leftOf = ({ ref, action, reason = '' }: Target): readonly RemovedObject[] =>
  action === 'leave' ? [{ object: describeRef(ref), change: 'left', reason }] : [];

/** @param lock undefined in a dry run */
function stepsOf(waiting: Waiting, { targets: all }: Plan, lock?: RemoveLock): readonly Step[] {
  const targets = all.filter(({ action }) => action !== 'leave');
  const leases = targets.filter(({ ref }) => ref.resource.kind === 'Lease');
  const rotations = leases.filter((lease) => !lock?.holds(lease));
  const apiServices = targets.filter(({ ref }) => ref.resource.kind === 'APIService');
  const restored = targets.filter(isRestoredDeployment);
  const rest = targets.filter((target) => ![...leases, ...apiServices, ...restored].includes(target));
  const guarded = lock ? { beforeWrite: lock.beforeWrite } : {};
  const deleted = apiServices.filter(({ action }) => action === 'delete').map(({ ref }) => ref.name);
  return [
    // First, and only in the version that was found: another process may take the Lease over.
    ...(rotations.length > 0
      ? [removeStep(waiting, { id: 'remove-rotation', title: 'Removing the interrupted rotation', targets: rotations })]
      : []),
    removeStep(waiting, { id: 'remove-apiservices', title: 'Removing the API', targets: apiServices, ...guarded }),
    ...(deleted.length > 0 ? [unlistedStep(waiting, deleted)] : []),
    ...(restored.length > 0 ? [removeStep(waiting, { id: 'restore-server', title: 'Restoring the server', targets: restored })] : []),
    // Its pods still mount the Secret.
    ...restored.map(({ found }) => rolledOutStep(waiting, found)),
    ...(rest.length > 0 ? [removeStep(waiting, { id: 'remove-server', title: 'Removing the server', targets: rest, ...guarded })] : []),
  ];
}

const namespaceSteps = (waiting: Waiting, { namespace }: Plan): readonly Step[] =>
  namespace ? [namespaceStep(waiting, namespace.metadata.name)] : [];

const isRestoredDeployment = ({ ref, action }: Target): boolean => ref.resource.kind === 'Deployment' && action === 'restore';

/**
 * Tells what `unregister` would do. Changes nothing.
 * @param submit whether to check the permissions, and to send every request as a dry run, so that
 * admission checks it
 */
export async function dryRunUnregister(cluster: Cluster, request: UnregisterRequest, submit: boolean): Promise<readonly RemovedObject[]> {
  const { signal } = request;
  const plan = await planUnregister(cluster, request);
  if (submit) {
    await requireAccess(cluster, needsOf(allSteps({ ...request, cluster }, plan)), [], signal);
    for (const target of plan.targets) await submitDryRun(cluster, target, signal);
  }
  const changes = plan.targets.map(({ ref, action, reason }): RemovedObject => {
    const change = action === 'delete' ? 'deleted' : action === 'restore' ? 'restored' : 'left';
    return { object: describeRef(ref), change, ...(reason === undefined ? {} : { reason }) };
  });
  return [...changes, ...(await planNamespace(cluster, plan, signal))];
}

const submitDryRun = (cluster: Cluster, { ref, action, ofAnybody }: Target, signal: AbortSignal): Promise<true> =>
  untilFresh(signal, async () => {
    const found = action === 'leave' ? undefined : await getObject(cluster, ref, signal);
    if (!found) return true;
    const dryRun = { dryRun: true, signal };
    if (action === 'restore') return (await restoreObject(cluster, found, dryRun)).kind === 'stale' ? undefined : true;
    const result = await (ofAnybody ? deleteAnyObject : deleteObject)(cluster, found, dryRun);
    return result === 'stale' ? undefined : true;
  });

async function planNamespace(cluster: Cluster, { namespace, targets }: Plan, signal: AbortSignal): Promise<readonly RemovedObject[]> {
  if (!namespace) return [];
  const deleted = new Set(targets.filter(({ action }) => action === 'delete').map((target) => uidOf(target.found)));
  const why = whyKept(await contentsOf(cluster, namespace.metadata.name, deleted, signal));
  const object = describeRef(refOf(namespace));
  return [why === undefined ? { object, change: 'deleted' } : { object, change: 'left', reason: why }];
}
