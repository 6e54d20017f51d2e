import type { Cluster } from '../../cluster/cluster.ts';
import { isApplied } from '../../cluster/field-owners.ts';
import { formerAnnotation, formerlyAbsent } from '../../cluster/former.ts';
import { getObject } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import type { Holder } from '../../cluster/rotation-lease.ts';
import type { Diagnosis } from '../../diagnosis/types.ts';
import { RefusedError } from '../../errors.ts';
import { projectAnnotation } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { namingAllMissing, requireAccess } from '../permissions.ts';
import type { OnProgress, RemovedObject } from '../progress.ts';
import { type RotationCheck, requireNoRotation } from '../rotation-in-progress.ts';
import { runSteps, type Step, withoutChanges } from '../runner.ts';
import { availableStep } from '../steps/available.ts';
import { type RemoveStep, removeStep } from '../steps/remove.ts';
import { replicasOf, rolledOutStep } from '../steps/rollout.ts';
import type { Target } from '../steps/target.ts';
import { uptakeStep } from '../steps/uptake.ts';
import { verifyStep } from '../steps/verify.ts';
import { findProject } from '../unregister/find.ts';
import type { Waiting } from '../wait.ts';
import { type BeforeWrite, excludeRotations, isRotated } from '../write-lock.ts';
import { type Backend, findRegistered, isInsecure } from './find.ts';
import { namingMissingToFind, ownSecrets, undoNeeds } from './needs.ts';

type Asking = Pick<Waiting, 'cluster' | 'signal'>;

/**
 * Finds what `secure` changed, or what is left of it. The cluster knows it without the project.
 * @returns what to restore or delete; empty for an API that `secure` did not change
 * @throws as `findRegistered` and `requireNoRotation`; RefusedError for an API that `register`
 * created
 */
export async function findSecured(waiting: Waiting, asked: Pick<UndoRequest, 'name' | 'directory'>): Promise<readonly Target[]> {
  return (await look(waiting, asked))?.targets ?? [];
}

interface Secured extends RotationCheck {
  /** `<namespace>/<name>` of the project. */
  readonly project: string;
  /** The APIServices of the Service. */
  readonly names: readonly string[];
  readonly targets: readonly Target[];
}

async function look(waiting: Waiting, { name, directory }: Pick<UndoRequest, 'name' | 'directory'>): Promise<Secured | undefined> {
  const { cluster, signal, onProgress } = waiting;
  const { backend, apiServices } = await namingMissingToFind(waiting, name, undoNeeds, () => findRegistered(waiting, name));
  const names = apiServices.map(({ metadata }) => metadata.name);
  const needs = undoNeeds({ names, backend, as: cluster.as });
  const owners = apiServices.flatMap(({ metadata }) => metadata.annotations?.[projectAnnotation] ?? []);
  const project = owners[0] ?? (await namingAllMissing(cluster, needs, signal, () => projectOfSecret(waiting, backend)));
  if (project === undefined) return undefined;
  const { targets, unlisted } = await findProject(waiting, project, undefined);
  // Without the Deployment or the Secret, only a part would be restored.
  if (unlisted.some(({ resource: { kind } }) => kind === 'Deployment' || kind === 'Secret'))
    await requireAccess(cluster, needs, [], signal);
  for (const target of targets) if (target.ref.resource.kind === 'APIService') requireRecord(target, project);
  const changed = targets.filter(({ action }) => action !== 'leave');
  const [, projectName = '.'] = project.split('/');
  const check: RotationCheck = { service: backend, directory: directory ?? projectName, signal, onProgress };
  if (changed.length > 0) await requireNoRotation(cluster, check);
  const ofKind = (kind: string): readonly string[] => changed.flatMap(({ ref }) => (ref.resource.kind === kind ? [ref.name] : []));
  const others = apiServices.filter(({ metadata }) => !ofKind('APIService').includes(metadata.name));
  const fault = ofKind('Deployment').length > 0 ? verifyingFault(others) : undefined;
  if (fault) throw withoutChanges(fault);
  return { ...check, project, names, targets: changed };
}

/** Why the server must keep its certificate: an APIService verifies it. */
function verifyingFault(apiServices: readonly KubeObject[]): RefusedError | undefined {
  const verified = apiServices.find((object) => !isInsecure(object));
  if (!verified) return undefined;
  const { name } = verified.metadata;
  return new RefusedError(`apiservice/${name} verifies the certificate of the same server, so the server must keep its certificate`, {
    fix: `Turn off its verification, and run the same command again: kubectl patch apiservice ${name} --type=merge -p '{"spec":{"caBundle":null,"insecureSkipTLSVerify":true}}'`,
  });
}

/** A run that continues finds the APIServices restored, and the project by the Secret. */
async function projectOfSecret({ cluster, signal }: Asking, { namespace, name: service }: Backend): Promise<string | undefined> {
  for (const name of ownSecrets(service)) {
    const found = await getObject(cluster, { resource: resources.Secret, namespace, name }, signal);
    if (found && isApplied(found)) return found.metadata.annotations?.[projectAnnotation];
  }
  return undefined;
}

/** @throws RefusedError for an APIService whose former state is not known */
function requireRecord({ found }: Target, project: string): void {
  const { name, annotations } = found.metadata;
  const former = annotations?.[formerAnnotation];
  if (former !== undefined && former !== formerlyAbsent) return;
  throw new RefusedError(`nothing to undo: apiservice/${name} belongs to the project ${project}, and its earlier state was not recorded`, {
    fix: `To remove the registration: apisvc unregister ${name}`,
  });
}

export interface UndoRequest {
  readonly name: string;
  /** The project directory. Without it, that of the name of the project. */
  readonly directory: string | undefined;
  /** The flags that select the cluster, for the commands in fixes. */
  readonly clusterFlags: readonly string[];
  readonly holder: Holder;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

export interface UndoResult {
  /** What was restored or deleted. */
  readonly removed: readonly RemovedObject[];
  /** Undefined where there was nothing to undo. */
  readonly diagnosis?: Diagnosis;
}

/**
 * Puts back what was there before `secure`. kube-apiserver stops verifying first, so that no
 * request fails. It ends when the API is Available and verified. A second run continues.
 * @throws as `findSecured`; ClusterError when permissions are missing; DeadlineError
 */
export async function undoSecure(cluster: Cluster, request: UndoRequest): Promise<UndoResult> {
  const { name, clusterFlags, holder, signal, onProgress } = request;
  const waiting: Waiting = { cluster, signal, onProgress };
  const secured = await look(waiting, request);
  if (!secured || secured.targets.length === 0) return { removed: [] };
  const { names, targets } = secured;
  const available = availableStep(waiting, names);
  const needs = [...stepsOf(waiting, name, targets), available].flatMap((step) => step.needs());
  await requireAccess(cluster, needs, [], signal);
  const isContended = targets.some(({ found }) => isRotated(found));
  const steps = await excludeRotations(cluster, { ...secured, holder, isContended }, async (lock) => {
    const locked = stepsOf({ ...waiting, signal: lock.signal }, name, targets, lock.beforeWrite);
    await runSteps(locked, onProgress);
    return locked;
  });
  const verify = verifyStep(waiting, { names, clusterFlags });
  await runSteps([...((await isStopped(waiting, targets)) ? [] : [available]), verify], onProgress);
  return { removed: steps.flatMap((step) => ('removed' in step ? (step as RemoveStep).removed() : [])), diagnosis: verify.diagnosis() };
}

/** An API whose server is scaled to 0 does not become Available. */
async function isStopped({ cluster, signal }: Asking, targets: readonly Target[]): Promise<boolean> {
  const deployments = targets.filter(({ ref }) => ref.resource.kind === 'Deployment');
  const found = await Promise.all(deployments.map(({ ref }) => getObject(cluster, ref, signal)));
  return found.some((each) => each !== undefined && replicasOf(each) === 0);
}

function stepsOf(waiting: Waiting, name: string, targets: readonly Target[], beforeWrite?: BeforeWrite): readonly Step[] {
  const ofKind = (kind: string): readonly Target[] => targets.filter(({ ref }) => ref.resource.kind === kind);
  const apiServices = ofKind('APIService');
  const deployments = ofKind('Deployment');
  const rest = targets.filter((target) => !apiServices.includes(target) && !deployments.includes(target));
  const guarded = beforeWrite ? { beforeWrite } : {};
  // Where the server has its own certificate already, no kube-apiserver needs to be waited for.
  const isRestored = async (): Promise<boolean> => {
    if (deployments.length === 0) return true;
    const { apiServices: all } = await findRegistered(waiting, name);
    const fault = verifyingFault(all);
    if (fault) throw fault;
    return false;
  };
  return [
    removeStep(waiting, { id: 'untrust', title: 'Turning off verification', targets: apiServices, ...guarded }),
    uptakeStep(waiting, isRestored, { what: 'stop verifying the certificate' }),
    removeStep(waiting, { id: 'restore-server', title: 'Restoring the server', targets: deployments }),
    ...deployments.map(({ found }) => rolledOutStep(waiting, found)),
    removeStep(waiting, { id: 'remove-rest', title: 'Removing the Secret', targets: rest, ...guarded }),
  ];
}
