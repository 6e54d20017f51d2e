import type { Cluster } from '../cluster/cluster.ts';
import { getObject, listObjects, observe, refOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { labelSelectorOf, listPods, lookCloserAt } from '../snapshot/collect/pods.ts';
import { look } from '../snapshot/look.ts';
import { logCommand, type PodProblem, problemOf } from '../snapshot/pod-problem.ts';
import { viewPod } from '../snapshot/pod-view.ts';
import type { Observed, PodView } from '../snapshot/types.ts';
import { listOf, textOf } from '../snapshot/views.ts';
import { newPatience, troubleLimitMs } from './patience.ts';
import { podCommands, poll, type Waiting, waitFor } from './wait.ts';

/** A Deployment as the server has it. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object.
type Deployment = KubeObject & any;

/**
 * Waits until a Deployment has rolled out, and meanwhile looks at its new pods.
 * @throws RefusedError when the roll-out is stuck, or a pod has a trouble that does not pass by itself: with the pod, the reason and its last log line
 */
export const waitForRollout = (waiting: Waiting, deployment: KubeObject): Promise<void> =>
  waitFor(`Deployment ${nameOf(deployment)} to roll out`, podCommands(deployment.metadata.namespace), waiting, async (saw) => {
    const over = new AbortController();
    const watching = { ...waiting, signal: AbortSignal.any([waiting.signal, over.signal]) };
    const words = { rollout: '', pods: '' };
    const say = (part: Partial<typeof words>): void => {
      Object.assign(words, part);
      if (words.rollout !== '') saw(words.pods === '' ? words.rollout : `${words.rollout}; ${words.pods}`);
    };
    try {
      const rolledOut = untilRolledOut(watching, deployment, (rollout) => say({ rollout }));
      const hopeless = untilHopeless(watching, deployment, (pods) => say({ pods }));
      await Promise.race([rolledOut, hopeless, untilRefused(watching, deployment)]);
    } finally {
      over.abort();
    }
  });

const nameOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

/** The rule of `kubectl rollout status` (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go). */
async function untilRolledOut({ cluster, signal }: Waiting, { metadata }: KubeObject, saw: (words: string) => void): Promise<void> {
  const one = { resource: resources.Deployment, namespace: metadata.namespace ?? '', fieldSelector: `metadata.name=${metadata.name}` };
  let looks = 0;
  let before: Stuck | undefined;
  for await (const [found] of observe(cluster, one, signal)) {
    const stuck = found && stuckOf(found);
    if (looks++ === 0) before = stuck;
    // What was said before this run may have been put right by it, and the controller takes it back only when it gets on.
    if (stuck && isCurrent(found) && stuck.since !== before?.since) throw isStuck(found, stuck);
    const state = found ? rolloutState(found) : { done: false, words: 'it does not exist' };
    if (state.done) return;
    if (found && isHeld(found)) throw isPaused(found);
    saw(stuck ? `${state.words}; ${stuck.message}` : state.words);
  }
}

/** That the controller has given up on a roll-out. */
interface Stuck {
  readonly message: string;
  /** ISO 8601; empty when it is not told. */
  readonly since: string;
}

function stuckOf({ status }: Deployment): Stuck | undefined {
  const stuck = listOf(status?.conditions).find(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded');
  return stuck && { message: textOf(stuck.message), since: textOf(stuck.lastUpdateTime) };
}

const isStuck = ({ metadata: { namespace, name } }: KubeObject, { message }: Stuck): RefusedError =>
  new RefusedError(`Deployment ${namespace}/${name} does not roll out: ${message}`, {
    fix: podCommands(namespace),
  });

const isHeld = ({ spec }: Deployment): boolean => spec.paused === true;

const isPaused = ({ metadata: { namespace, name } }: KubeObject): RefusedError =>
  new RefusedError(`Deployment ${namespace}/${name} is paused: its pods stay as they are`, {
    fix: `kubectl -n ${namespace} rollout resume deployment/${name}; then run the same command again.`,
  });

/** Whether the status is about the newest specification. */
const isCurrent = ({ metadata, status }: Deployment): boolean => (status?.observedGeneration ?? 0) >= metadata.generation;

function rolloutState(deployment: Deployment): { readonly done: boolean; readonly words: string } {
  const { spec, status } = deployment;
  const wanted: number = spec.replicas ?? 1;
  const { updatedReplicas = 0, availableReplicas = 0, replicas = 0 } = status ?? {};
  const done = isCurrent(deployment) && updatedReplicas >= wanted && availableReplicas >= wanted && replicas === updatedReplicas;
  const failure = refusalOf(deployment);
  const words = `${updatedReplicas} of ${wanted} pods updated, ${availableReplicas} available`;
  return { done, words: failure === undefined ? words : `${words}; ${failure}` };
}

/** Why no pod is made: a quota, or an admission policy. */
const refusalOf = ({ status }: Deployment): string | undefined =>
  listOf(status?.conditions).find((condition) => condition.type === 'ReplicaFailure' && condition.status === 'True')?.message;

/** Ends when the cluster has refused to make the pods for so long that it will not think better of it. */
async function untilRefused({ cluster, signal }: Waiting, applied: KubeObject): Promise<never> {
  let since: number | undefined;
  return poll<never>({ ...polling, signal }, async () => {
    const found = await getObject(cluster, refOf(applied), signal);
    const refusal = found && refusalOf(found);
    since = refusal === undefined ? undefined : (since ?? performance.now());
    if (since === undefined || performance.now() - since < troubleLimitMs) return undefined;
    throw new RefusedError(`Deployment ${nameOf(applied)} does not roll out: ${refusal}`, { fix: podCommands(applied.metadata.namespace) });
  });
}

/** Whether the cluster answers at all is for those who watch the roll-out to see. */
const polling = { firstMs: 250, longestMs: 2_000, answered: true };

/**
 * Looks at the pods of the newest ReplicaSet until one of them is beyond hope. Why a pod has no containers yet is in events alone, of which a watch of pods tells
 * nothing; so they are looked at again and again. Without the right to see pods there is nothing to look at.
 */
async function untilHopeless({ cluster, signal, onProgress }: Waiting, applied: KubeObject, saw: (words: string) => void): Promise<never> {
  const patience = newPatience();
  const notSeen = await poll({ ...polling, signal }, async () => {
    const pods = await newPods(cluster, applied, signal);
    if (pods?.state !== 'seen') return pods;
    const now = new Date();
    const hopeless = patience(pods.value, now);
    if (hopeless) throw beyondHope(applied, hopeless);
    const telling = pods.value.flatMap((pod) => problemOf(pod, now) ?? []).filter(({ evidence }) => evidence.length > 0);
    saw(telling.map(wordsOf).join('; '));
    return undefined;
  });
  if (notSeen.state === 'unseen') onProgress({ kind: 'note', what: `going on without a look at the pods: ${notSeen.words}` });
  return new Promise(() => {});
}

/** The pods of the newest ReplicaSet, and those on their way out; undefined while there is no Deployment. */
async function newPods(cluster: Cluster, applied: KubeObject, signal: AbortSignal): Promise<Observed<readonly PodView[]> | undefined> {
  // What was applied may be a part of it alone.
  const deployment: Deployment = await getObject(cluster, refOf(applied), signal);
  if (!deployment) return undefined;
  const { namespace } = deployment.metadata;
  const pods = await look(
    signal,
    () => listPods(cluster, { namespace, selector: deployment.spec.selector }, signal),
    (found) => found.map(viewPod),
  );
  if (pods.state !== 'seen') return pods;
  const chosen = await ofNewestReplicaSet(cluster, deployment, pods.value, signal);
  return { state: 'seen', value: await lookCloserAt(cluster, namespace, chosen, signal) };
}

/** The annotation that numbers the ReplicaSets of a Deployment (k8s.io/kubernetes/pkg/controller/deployment/util/deployment_util.go, RevisionAnnotation). */
const revisionOf = ({ metadata }: KubeObject): number => Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);

/**
 * Pods of older ReplicaSets are to go, whatever ails them; those that are going may make room. Where ReplicaSets may not be seen, it is only known
 * which one is the newest when all pods are of the same.
 */
async function ofNewestReplicaSet(
  cluster: Cluster,
  { metadata, spec }: Deployment,
  pods: readonly PodView[],
  signal: AbortSignal,
): Promise<readonly PodView[]> {
  if (pods.every(({ ready }) => ready)) return pods;
  const of = { resource: resources.ReplicaSet, namespace: metadata.namespace, labelSelector: labelSelectorOf(spec.selector) };
  const found = await look(
    signal,
    () => listObjects(cluster, of, signal),
    (sets) => sets.filter((set: Deployment) => listOf(set.metadata.ownerReferences).some(({ uid }) => uid === metadata.uid)),
  );
  const newest =
    found.state === 'seen'
      ? found.value.toSorted((one, other) => revisionOf(other) - revisionOf(one)).map(({ metadata }: Deployment) => metadata.uid)[0]
      : onlyOne(pods.map(({ owner }) => owner));
  return pods.filter(({ owner, deleting }) => deleting || (newest !== undefined && owner === newest));
}

const onlyOne = <T>(values: readonly T[]): T | undefined => (new Set(values).size === 1 ? values[0] : undefined);

const wordsOf = ({ pod, evidence }: PodProblem): string => `pod ${pod}: ${evidence.join('; ')}`;

function beyondHope({ metadata: { namespace, name } }: KubeObject, trouble: PodProblem): RefusedError {
  const log = trouble.kind === 'crashing' ? [logCommand(namespace ?? '', trouble)] : [];
  const commands = [...log, `kubectl -n ${namespace} describe pod ${trouble.pod}`].join('; ');
  return new RefusedError(`Deployment ${namespace}/${name} does not roll out: ${wordsOf(trouble)}`, {
    fix: `${commands}. Then put it right and run the same command again.`,
  });
}
