import { getObject, observe, refOf } from '../../cluster/objects.ts';
import { namespacedName, type ObjectRef, resources } from '../../cluster/resources.ts';
import { RefusedError } from '../../errors.ts';
import type { KubeObject } from '../../manifests/types.ts';
import { logCommand, type PodProblem, problemOf } from '../../snapshot/pod-problem.ts';
import { listOf, textOf } from '../../snapshot/views.ts';
import { newPods } from '../new-pods.ts';
import { failureDetector, persistAfterMs } from '../persistent-failure.ts';
import type { Step } from '../runner.ts';
import { podCommands, poll, readNeeds, untilFirst, type Waiting, waitFor } from '../wait.ts';

/** A Deployment as the server returns it. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object.
type Deployment = KubeObject & any;

/**
 * Waits until a Deployment has rolled out. Fails when a new pod has a problem that persists.
 * @param applied the Deployment of the project
 */
export function rolloutStep(waiting: Waiting, applied: KubeObject): Step {
  const { cluster, signal } = waiting;
  const ref = refOf(applied);
  return {
    id: 'rollout',
    title: 'Waiting for the rollout',
    needs: () => readNeeds(ref),
    async observe() {
      const found = await getObject(cluster, ref, signal);
      if (!found) return { state: 'pending' };
      if (replicasOf(found) === 0) return { state: 'fault', error: scaledToZero(ref, replicasOf(applied)) };
      return { state: rolloutState(found).done ? 'done' : 'pending' };
    },
    run: () => waitForRollout(waiting, ref),
  };
}

/** The same for a Deployment that is restored. Without pods, nothing has to roll out. */
export function rolledOutStep(waiting: Waiting, found: KubeObject): Step {
  const step = rolloutStep(waiting, found);
  return {
    ...step,
    async observe() {
      const ref = { resource: resources.Deployment, namespace: found.metadata.namespace, name: found.metadata.name };
      const present = await getObject(waiting.cluster, ref, waiting.signal);
      return present && replicasOf(present) > 0 ? step.observe() : { state: 'done' };
    },
  };
}

/**
 * Waits until a Deployment has rolled out, and checks its new pods meanwhile.
 * @throws RefusedError when the rollout is stuck or paused, or when a pod has a problem that
 * persists: with the pod, the reason and its last log line
 */
export const waitForRollout = (waiting: Waiting, ref: ObjectRef): Promise<void> =>
  waitFor(`Deployment ${namespacedName(ref)} to roll out`, podCommands(ref.namespace), waiting, async (report) => {
    const states = { rollout: '', stalled: '', pods: '' };
    const update = (part: Partial<typeof states>): void => {
      Object.assign(states, part);
      // The controller repeats what is wrong with the pods.
      const { rollout, stalled, pods } = states;
      if (rollout !== '') report([rollout, pods || stalled].filter(Boolean).join('; '));
    };
    await untilFirst(waiting, (watching) => [
      watchRollout(watching, ref, (rollout, stalled = '') => update({ rollout, stalled })),
      failOnPersistentErrors(watching, ref, (pods) => update({ pods })),
      failOnRefusedPods(watching, ref),
    ]);
  });

// biome-ignore lint/suspicious/noExplicitAny: a Deployment as the server returns it.
export const replicasOf = ({ spec }: any): number => spec?.replicas ?? 1;

/** An API that is registered without a server degrades the whole cluster. */
function scaledToZero(ref: ObjectRef, wanted: number): RefusedError {
  return new RefusedError(`Deployment ${namespacedName(ref)} is scaled to 0, so nothing would serve the API; the APIService is unchanged`, {
    // This command would scale it to 0 again.
    fix: wanted === 0 ? 'Set spec.server.replicas in apisvc.yaml to 1 or more before you run the same command again.' : scaleUp(ref),
  });
}

/** The fix where a Deployment has no pods. */
export const scaleUp = ({ namespace, name }: Pick<ObjectRef, 'namespace' | 'name'>): string =>
  `Scale the Deployment up before you run the same command again: kubectl -n ${namespace} scale deployment/${name} --replicas=1`;

/** Follows `kubectl rollout status` (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go). */
async function watchRollout(
  { cluster, signal }: Waiting,
  ref: ObjectRef,
  report: (state: string, stalled: string | undefined) => void,
): Promise<void> {
  const one = { resource: resources.Deployment, namespace: ref.namespace ?? '', fieldSelector: `metadata.name=${ref.name}` };
  let first = true;
  let initial: Stalled | undefined;
  for await (const [found] of observe(cluster, one, signal)) {
    const stalled = found && stalledSince(found);
    if (first) initial = stalled;
    first = false;
    // This run may have fixed what an earlier condition reports. The controller clears the
    // condition only when the rollout makes progress.
    if (stalled && isCurrent(found) && stalled.since !== initial?.since) throw stalledRollout(ref, stalled.message);
    const state = found ? rolloutState(found) : { done: false, text: 'not found' };
    if (state.done) return;
    if (found && isPaused(found)) throw paused(ref);
    report(state.text, stalled?.message);
  }
}

/** The controller reports that the rollout exceeded its progress deadline. */
interface Stalled {
  readonly message: string;
  /** RFC 3339; empty when the condition has no time. */
  readonly since: string;
}

function stalledSince({ status }: Deployment): Stalled | undefined {
  const found = listOf(status?.conditions).find(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded');
  return found && { message: textOf(found.message), since: textOf(found.lastUpdateTime) };
}

/** As `kubectl rollout status` says it. */
const stalledRollout = (ref: ObjectRef, reason: string): RefusedError =>
  new RefusedError(`Deployment ${namespacedName(ref)} exceeded its progress deadline: ${reason}`, { fix: findCause(ref) });

const rolloutFailed = (ref: ObjectRef, reason: string | undefined, fix: string): RefusedError =>
  new RefusedError(`Deployment ${namespacedName(ref)} failed to roll out: ${reason}`, { fix });

const findCause = ({ namespace }: ObjectRef): string => `Find the cause: ${podCommands(namespace)}`;

const isPaused = ({ spec }: Deployment): boolean => spec.paused === true;

const paused = (ref: ObjectRef): RefusedError =>
  new RefusedError(`Deployment ${namespacedName(ref)} is paused, so its pods are not updated`, {
    fix: `Resume the Deployment before you run the same command again: kubectl -n ${ref.namespace} rollout resume deployment/${ref.name}`,
  });

/** Whether the status describes the latest specification. */
const isCurrent = ({ metadata, status }: Deployment): boolean => (status?.observedGeneration ?? 0) >= metadata.generation;

export function rolloutState(deployment: Deployment): { readonly done: boolean; readonly text: string } {
  const wanted = replicasOf(deployment);
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = deployment.status ?? {};
  const done = isCurrent(deployment) && updatedReplicas >= wanted && availableReplicas >= wanted && replicas === updatedReplicas;
  const failure = replicaFailure(deployment);
  const text = `${updatedReplicas} of ${wanted} pods updated, ${availableReplicas} available`;
  return { done, text: failure === undefined ? text : `${text}; ${failure}` };
}

/** Why the ReplicaSet cannot create pods: a quota or an admission policy. */
const replicaFailure = ({ status }: Deployment): string | undefined =>
  listOf(status?.conditions).find((condition) => condition.type === 'ReplicaFailure' && condition.status === 'True')?.message;

/** Fails when the cluster has refused to create pods for so long that it will not change. */
export async function failOnRefusedPods({ cluster, signal }: Waiting, ref: ObjectRef): Promise<never> {
  let since: number | undefined;
  return poll<never>({ signal }, async () => {
    const found = await getObject(cluster, ref, signal);
    const failure = found && replicaFailure(found);
    since = failure === undefined ? undefined : (since ?? performance.now());
    if (since === undefined || performance.now() - since < persistAfterMs) return undefined;
    throw rolloutFailed(ref, failure, findCause(ref));
  });
}

/**
 * Checks the pods of the latest ReplicaSet until one has a problem that persists. Polls, because
 * only events say why a pod has no containers yet, and a watch of pods does not show events.
 * Without the permission to list pods it waits forever.
 */
export async function failOnPersistentErrors(
  { cluster, signal, onProgress }: Waiting,
  ref: ObjectRef,
  report: (state: string) => void,
): Promise<never> {
  const detect = failureDetector();
  const notChecked = await poll({ signal, report }, async () => {
    const pods = await newPods(cluster, ref, signal);
    if (pods?.state !== 'seen') return pods;
    const now = new Date();
    const failure = detect(pods.value, now);
    if (failure) throw podFailed(ref, failure);
    const problems = pods.value.flatMap((pod) => problemOf(pod, now) ?? []).filter(({ evidence }) => evidence.length > 0);
    report(problems.map(describe).join('; '));
    return undefined;
  });
  if (notChecked.state === 'unseen') onProgress({ kind: 'note', what: `pods not checked: ${notChecked.words}` });
  return new Promise(() => {});
}

const describe = ({ pod, evidence }: PodProblem): string => `pod ${pod}: ${evidence.join('; ')}`;

function podFailed(ref: ObjectRef, problem: PodProblem): RefusedError {
  const log = problem.kind === 'crashing' ? [logCommand(ref.namespace ?? '', problem)] : [];
  const commands = [...log, `kubectl -n ${ref.namespace} describe pod ${problem.pod}`].join('; ');
  return rolloutFailed(ref, describe(problem), `Fix the cause, and run the same command again. To find the cause: ${commands}`);
}
