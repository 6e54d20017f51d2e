import { isDeepStrictEqual } from 'node:util';
import { Unreachable } from '../../cluster/faults.ts';
import { resources } from '../../cluster/resources.ts';
import { ApisvcError } from '../../errors.ts';
import { keepRight, type NodeContext } from './keep-right.ts';
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
import type { Json } from './types.ts';

const { Deployment, ReplicaSet, Pod } = resources;

/** Acts as the controllers for Deployments and ReplicaSets, and as the garbage collector for what they made, until the signal ends it. */
export const keepDeployments = (node: NodeContext): Promise<void> =>
  keepRight(node, [{ resource: Deployment }, { resource: ReplicaSet }, { resource: Pod }], async () => {
    const { api } = node;
    // Owners first: what is made in between is by this loop alone.
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
        return keepOne(node, { deployment, sets: own, pods: pods.filter((pod) => own.some((set) => isOf(set, pod))) });
      }),
    );
    const againMs = Math.min(...waits.map((wait) => wait ?? Number.POSITIVE_INFINITY));
    return Number.isFinite(againMs) ? againMs : undefined;
  });

/** What its controller, of this kind, has left behind. */
const orphans = (objects: readonly Json[], kind: string, owners: readonly Json[]): readonly Json[] => {
  const known = new Set(owners.map(({ metadata }) => metadata.uid));
  return objects.filter(({ metadata }) => {
    const owner = metadata.ownerReferences?.find(({ controller }: Json) => controller === true);
    return owner?.kind === kind && !known.has(controllerOf(metadata)) && metadata.deletionTimestamp === undefined;
  });
};

/** @returns after how many ms it has to be looked at again */
async function keepOne({ api }: NodeContext, rollout: Rollout): Promise<number | undefined> {
  const { deployment, sets, pods } = rollout;
  const now = new Date();
  const step = nextStep(rollout, now);
  if (step.newSet) {
    await api.create(step.newSet);
    api.record(
      deployment,
      'Normal',
      'ScalingReplicaSet',
      `Scaled up replica set ${step.newSet.metadata.name} from 0 to ${step.newSet.spec.replicas}`,
    );
    return undefined;
  }
  await Promise.all([...step.oldPods.map((pod) => api.remove(pod)), ...step.oldSets.map((set) => api.remove(set))]);
  const made = await Promise.allSettled(step.newPods.map((pod) => api.create(pod)));
  const failure = made.flatMap((each, index) => (each.status === 'rejected' ? [refusalOf(each.reason, step.newPods[index])] : []))[0];
  if (failure !== undefined) api.record(deployment, 'Warning', 'FailedCreate', failure);

  const current = currentSet(rollout);
  for (const set of sets) {
    const live = pods.filter((pod) => isOf(set, pod) && isLive(pod)).length;
    await keepSet(api, set, set === current ? (deployment.spec.replicas ?? 1) : live, rollout, now);
  }
  const revision = current && (await keepRevision(api, current, sets));
  if (revision !== undefined && deployment.metadata.annotations?.[revisionAnnotation] !== revision) {
    await api.patch(deployment, { metadata: { annotations: { [revisionAnnotation]: revision } } });
  }
  const { status, againMs } = deploymentStatus({ deployment, sets, pods }, failure, now);
  await keepStatus(api, deployment, status);
  return againMs;
}

/** What admission said to a new pod, the same words for every attempt; anything else is no refusal. */
function refusalOf(error: unknown, { metadata: { name, ownerReferences } }: Json): string {
  if (!(error instanceof ApisvcError) || error instanceof Unreachable) throw error;
  return error.message.replaceAll(name, `${ownerReferences[0].name}-`);
}

async function keepSet(api: NodeContext['api'], set: Json, replicas: number, { deployment, pods }: Rollout, now: Date): Promise<void> {
  const written = set.spec.replicas === replicas ? set : await api.patch(set, { spec: { replicas } });
  if (written) await keepStatus(api, written, setStatus(written, { deployment, pods }, now));
}

/** A ReplicaSet that is current again after another becomes the newest one. */
async function keepRevision(api: NodeContext['api'], current: Json, sets: readonly Json[]): Promise<string> {
  const others = sets.filter((set) => set !== current);
  if (others.every((set) => revisionOf(set) < revisionOf(current))) return String(revisionOf(current));
  const revision = String(nextRevision(sets));
  await api.patch(current, { metadata: { annotations: { [revisionAnnotation]: revision } } });
  return revision;
}

/** Writes a status where it says something else; counts of 0 are left out by kube-apiserver. */
async function keepStatus(api: NodeContext['api'], object: Json, status: Json): Promise<void> {
  const before = object.status ?? {};
  const same = Object.entries(status).every(([key, value]) => isDeepStrictEqual(before[key] ?? 0, value));
  if (!same || (before.conditions ?? []).length !== (status.conditions ?? []).length) await api.patch(object, { status }, 'status');
}
