import type { Cluster } from '../../cluster/cluster.ts';
import { formerAnnotation, formerlyAbsent } from '../../cluster/former.ts';
import { getObject } from '../../cluster/objects.ts';
import { isApplied } from '../../cluster/ownership.ts';
import { resources } from '../../cluster/resources.ts';
import type { Holder } from '../../cluster/rotation-lease.ts';
import { RefusedError } from '../../errors.ts';
import { projectAnnotation } from '../../manifests/labels.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { requireAccess } from '../permissions.ts';
import type { OnProgress, RemovedObject } from '../progress.ts';
import { type RotationCheck, requireNoRotation } from '../rotation-in-progress.ts';
import { runSteps, type Step } from '../runner.ts';
import { type RemoveStep, removeStep } from '../steps/remove.ts';
import { rolledOutStep } from '../steps/rollout.ts';
import { uptakeStep } from '../steps/uptake.ts';
import { findProject, type Target } from '../unregister/find.ts';
import type { Waiting } from '../wait.ts';
import { type BeforeWrite, excludeRotations, isRotated } from '../write-lock.ts';
import { type Backend, findRegistered, isInsecure } from './find.ts';

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
  readonly targets: readonly Target[];
}

async function look(waiting: Waiting, { name, directory }: Pick<UndoRequest, 'name' | 'directory'>): Promise<Secured | undefined> {
  const { cluster, signal, onProgress } = waiting;
  const { backend, apiServices } = await findRegistered(waiting, name);
  const owners = apiServices.flatMap(({ metadata }) => metadata.annotations?.[projectAnnotation] ?? []);
  const project = owners[0] ?? (await projectOfSecret(waiting, backend));
  if (project === undefined) return undefined;
  const { targets } = await findProject(waiting, project, undefined);
  for (const target of targets) if (target.ref.resource.kind === 'APIService') requireRecord(target, project);
  const changed = targets.filter(({ action }) => action !== 'leave');
  const [, projectName = '.'] = project.split('/');
  const check: RotationCheck = { service: backend, directory: directory ?? projectName, signal, onProgress };
  if (changed.length > 0) await requireNoRotation(cluster, check);
  return { ...check, project, targets: changed };
}

/** A run that continues finds the APIServices restored, and the project by the Secret. */
async function projectOfSecret({ cluster, signal }: Asking, { namespace, name: service }: Backend): Promise<string | undefined> {
  for (const name of [`${service}-tls`, `${service}-apisvc-tls`]) {
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
  throw new RefusedError(`apiservice/${name} belongs to the project ${project}, and did not exist before`, {
    fix: `To remove the registration: apisvc unregister ${name}`,
  });
}

export interface UndoRequest {
  readonly name: string;
  /** The project directory. Without it, that of the name of the project. */
  readonly directory: string | undefined;
  readonly holder: Holder;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/**
 * Puts back what was there before `secure`. kube-apiserver stops verifying first, so that no
 * request fails. A second run continues.
 * @returns what was restored or deleted
 * @throws as `findSecured`; ClusterError when permissions are missing; DeadlineError
 */
export async function undoSecure(cluster: Cluster, request: UndoRequest): Promise<readonly RemovedObject[]> {
  const { name, holder, signal, onProgress } = request;
  const waiting: Waiting = { cluster, signal, onProgress };
  const secured = await look(waiting, request);
  if (!secured) return [];
  const { targets } = secured;
  await requireAccess(
    cluster,
    stepsOf(waiting, name, targets).flatMap((step) => step.needs()),
    [],
    signal,
  );
  const isContended = targets.some(({ found }) => isRotated(found));
  const steps = await excludeRotations(cluster, { ...secured, holder, isContended }, async (lock) => {
    const locked = stepsOf({ ...waiting, signal: lock.signal }, name, targets, lock.beforeWrite);
    await runSteps(locked, onProgress);
    return locked;
  });
  return steps.flatMap((step) => ('removed' in step ? (step as RemoveStep).removed() : []));
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
    const verified = all.find((object: KubeObject) => !isInsecure(object));
    if (!verified) return false;
    throw new RefusedError(`apiservice/${verified.metadata.name} still verifies the certificate, so the server keeps it`);
  };
  return [
    removeStep(waiting, { id: 'untrust', title: 'Turning off verification', targets: apiServices, ...guarded }),
    uptakeStep(waiting, isRestored, { what: 'stop verifying the certificate' }),
    removeStep(waiting, { id: 'restore-server', title: 'Restoring the server', targets: deployments }),
    ...deployments.map(({ found }) => rolledOutStep(waiting, found)),
    removeStep(waiting, { id: 'remove-rest', title: 'Removing the Secret', targets: rest, ...guarded }),
  ];
}
