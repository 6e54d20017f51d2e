import { isDeepStrictEqual } from 'node:util';
import { Unreachable } from '../../cluster/faults.ts';
import { resources } from '../../cluster/resources.ts';
import { ApisvcError } from '../../errors.ts';
import { type NodeContext, runController } from './controller.ts';
import type { Json } from './registry.ts';
import {
  controllerOf,
  currentSet,
  isLive,
  isOf,
  nextRevision,
  nextStep,
  type Rollout,
  revisionAnnotation,
  revisionOf,
} from './rollout-plan.ts';
import { deploymentStatus, setStatus } from './rollout-status.ts';

const { Deployment, ReplicaSet, Pod } = resources;

/**
 * Runs the controllers of Deployments and ReplicaSets, and the garbage collection of their objects,
 * until the signal aborts.
 */
export const runDeploymentController = (node: NodeContext): Promise<void> =>
  runController(node, [{ resource: Deployment }, { resource: ReplicaSet }, { resource: Pod }], async () => {
    const { api } = node;
    // Owners first, because only this loop creates ReplicaSets and pods in between.
    const deployments = await api.list({ resource: Deployment });
    const sets = await api.list({ resource: ReplicaSet });
    const pods = await api.list({ resource: Pod });
    await Promise.all([
      ...orphans(sets, 'Deployment', deployments).map((set) => api.remove(set)),
      ...orphans(pods, 'ReplicaSet', sets).map((pod) => api.remove(pod)),
    ]);
    const kept = deployments.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const waits = await Promise.all(
      kept.map((deployment) => {
        const own = sets.filter((set) => isOf(deployment, set) && set.metadata.deletionTimestamp === undefined);
        return reconcile(node, { deployment, sets: own, pods: pods.filter((pod) => own.some((set) => isOf(set, pod))) });
      }),
    );
    const againMs = Math.min(...waits.map((wait) => wait ?? Number.POSITIVE_INFINITY));
    return Number.isFinite(againMs) ? againMs : undefined;
  });

/** The objects whose controller of this kind no longer exists. */
const orphans = (objects: readonly Json[], kind: string, owners: readonly Json[]): readonly Json[] => {
  const known = new Set(owners.map(({ metadata }) => metadata.uid));
  return objects.filter(({ metadata }) => {
    const owner = metadata.ownerReferences?.find(({ controller }: Json) => controller === true);
    return owner?.kind === kind && !known.has(controllerOf(metadata)) && metadata.deletionTimestamp === undefined;
  });
};

/** @returns milliseconds until the next run even when nothing changes */
async function reconcile({ api }: NodeContext, rollout: Rollout): Promise<number | undefined> {
  const { deployment, sets, pods } = rollout;
  const now = new Date();
  const step = nextStep(rollout);
  if (step.newSet) {
    await api.create(step.newSet);
    return undefined;
  }
  await Promise.all(step.oldPods.map((pod) => api.remove(pod)));
  const made = await Promise.allSettled(step.newPods.map((pod) => api.create(pod)));
  const failure = made.flatMap((each, index) => (each.status === 'rejected' ? [refusalOf(each.reason, step.newPods[index])] : []))[0];
  const current = currentSet(rollout);
  for (const set of sets) {
    const live = pods.filter((pod) => isOf(set, pod) && isLive(pod)).length;
    await reconcileSet(api, set, set === current ? (deployment.spec.replicas ?? 1) : live, pods);
  }
  await reconcileRevision(api, current, sets);
  const { status, againMs } = deploymentStatus({ deployment, sets, pods }, failure, now);
  await writeStatus(api, deployment, status);
  return againMs;
}

/** Why admission refused a pod, the same for every attempt. @throws any other error */
function refusalOf(error: unknown, { metadata: { name, ownerReferences } }: Json): string {
  if (!(error instanceof ApisvcError) || error instanceof Unreachable) throw error;
  return error.message.replaceAll(name, `${ownerReferences[0].name}-`);
}

async function reconcileSet(api: NodeContext['api'], set: Json, replicas: number, pods: readonly Json[]): Promise<void> {
  const written = set.spec.replicas === replicas ? set : await api.patch(set, { spec: { replicas } });
  if (written) await writeStatus(api, written, setStatus(written, pods));
}

/** A ReplicaSet that becomes current again gets the highest revision. */
async function reconcileRevision(api: NodeContext['api'], current: Json, sets: readonly Json[]): Promise<void> {
  const others = sets.filter((set) => set !== current);
  if (!current || others.every((set) => revisionOf(set) < revisionOf(current))) return;
  await api.patch(current, { metadata: { annotations: { [revisionAnnotation]: String(nextRevision(sets)) } } });
}

/** Writes a status that differs. kube-apiserver omits counts of 0. */
async function writeStatus(api: NodeContext['api'], object: Json, status: Json): Promise<void> {
  const before = object.status ?? {};
  const same = Object.entries(status).every(([key, value]) => isDeepStrictEqual(before[key] ?? 0, value));
  if (!same || (before.conditions ?? []).length !== (status.conditions ?? []).length) await api.patch(object, { status }, 'status');
}
