import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { Unreachable } from '../cluster/faults.ts';
import { getObject, listObjects, observe, refOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { look } from '../verify/look.ts';
import { type PodTrouble, troubleOf } from '../verify/pod-trouble.ts';
import { lookAtPods } from '../verify/pods.ts';
import type { Observed, PodView } from '../verify/types.ts';
import { listOf, textsOf } from '../verify/views.ts';
import { newPatience } from './patience.ts';
import { type Waiting, waitFor } from './wait.ts';

/** A Deployment as the server has it. */
// biome-ignore lint/suspicious/noExplicitAny: JSON of a Kubernetes object.
type Deployment = KubeObject & any;

/**
 * Waits until a Deployment has rolled out, and meanwhile looks at its new pods.
 * @throws RefusedError when the roll-out is stuck, or a pod has a trouble that does not pass by itself: with the pod, the reason and its last log line
 */
export const waitForRollout = (waiting: Waiting, deployment: KubeObject): Promise<void> =>
  waitFor(`Deployment ${nameOf(deployment)} to roll out`, waiting, async (saw) => {
    const over = new AbortController();
    const watching = { ...waiting, signal: AbortSignal.any([waiting.signal, over.signal]) };
    const words = { rollout: '', pods: '' };
    const say = (part: Partial<typeof words>): void => {
      Object.assign(words, part);
      if (words.rollout !== '') saw(words.pods === '' ? words.rollout : `${words.rollout}; ${words.pods}`);
    };
    try {
      const rolledOut = untilRolledOut(watching, deployment, (rollout) => say({ rollout }));
      await Promise.race([rolledOut, untilHopeless(watching, deployment, (pods) => say({ pods }))]);
    } finally {
      over.abort();
    }
  });

const nameOf = ({ metadata }: KubeObject): string => `${metadata.namespace}/${metadata.name}`;

/** The rule of `kubectl rollout status` (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go). */
async function untilRolledOut({ cluster, signal }: Waiting, { metadata }: KubeObject, saw: (words: string) => void): Promise<void> {
  const one = { resource: resources.Deployment, namespace: metadata.namespace ?? '', fieldSelector: `metadata.name=${metadata.name}` };
  for await (const [found] of observe(cluster, one, signal)) {
    const state = found ? rolloutState(found) : { done: false, words: 'it does not exist' };
    if (state.done) return;
    saw(state.words);
  }
}

function rolloutState({ metadata, spec, status }: Deployment): { readonly done: boolean; readonly words: string } {
  const wanted: number = spec.replicas ?? 1;
  const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0, replicas = 0, conditions } = status ?? {};
  const stuck = listOf(conditions).find(({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded');
  const current = observedGeneration >= metadata.generation;
  if (stuck && current) {
    throw new RefusedError(`Deployment ${metadata.namespace}/${metadata.name} does not roll out: ${stuck.message}`, {
      fix: `kubectl -n ${metadata.namespace} get pods; kubectl -n ${metadata.namespace} describe pods`,
    });
  }
  const done = current && updatedReplicas >= wanted && availableReplicas >= wanted && replicas === updatedReplicas;
  // A quota or an admission policy lets no pod be made.
  const failure = listOf(conditions).find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  const words = `${updatedReplicas} of ${wanted} pods updated, ${availableReplicas} available`;
  return { done, words: failure ? `${words}; ${failure.message}` : words };
}

const longestPauseMs = 2_000;

/**
 * Looks at the pods of the newest ReplicaSet until one of them is beyond hope. Why a pod has no containers yet is in events alone, of which a watch of pods tells
 * nothing; so they are looked at again and again. Without the right to see pods there is nothing to look at.
 */
async function untilHopeless({ cluster, signal, onProgress }: Waiting, applied: KubeObject, saw: (words: string) => void): Promise<never> {
  // What was applied may be a part of it alone.
  const deployment = await getObject(cluster, refOf(applied), signal);
  const patience = newPatience();
  for (let attempt = 0; ; attempt++) {
    const pods = deployment && (await newPods(cluster, deployment, signal));
    if (pods?.state === 'unseen') onProgress({ kind: 'note', what: `going on without a look at the pods: ${pods.words}` });
    if (pods && pods.state !== 'seen') return new Promise(() => {});
    if (pods) {
      const hopeless = patience(pods.value, performance.now());
      if (hopeless) throw beyondHope(applied, hopeless);
      const telling = pods.value.flatMap((pod) => troubleOf(pod) ?? []).filter(({ evidence }) => evidence.length > 0);
      saw(telling.map(wordsOf).join('; '));
    }
    await sleep(Math.min(250 * 2 ** attempt, longestPauseMs), undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** The pods of the newest ReplicaSet; undefined when no answer came this time. */
async function newPods(cluster: Cluster, deployment: Deployment, signal: AbortSignal): Promise<Observed<readonly PodView[]> | undefined> {
  const selection = { namespace: deployment.metadata.namespace, labels: textsOf(deployment.spec.selector.matchLabels) };
  try {
    const pods = await lookAtPods(cluster, selection, signal);
    if (pods.state !== 'seen' || pods.value.every((pod) => troubleOf(pod) === undefined)) return pods;
    return { state: 'seen', value: await ofNewestReplicaSet(cluster, deployment, pods.value, signal) };
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    return undefined;
  }
}

/** The annotation that numbers the ReplicaSets of a Deployment (k8s.io/kubernetes/pkg/controller/deployment/util/deployment_util.go, RevisionAnnotation). */
const revisionOf = ({ metadata }: KubeObject): number => Number(metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);

/** Pods of older ReplicaSets are on their way out, whatever ails them. Where ReplicaSets may not be seen, all pods count. */
async function ofNewestReplicaSet(
  cluster: Cluster,
  { metadata, spec }: Deployment,
  pods: readonly PodView[],
  signal: AbortSignal,
): Promise<readonly PodView[]> {
  const labelSelector = Object.entries(textsOf(spec.selector.matchLabels))
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const of = { resource: resources.ReplicaSet, namespace: metadata.namespace, labelSelector };
  const found = await look(
    signal,
    () => listObjects(cluster, of, signal),
    (sets) => sets.filter((set: Deployment) => listOf(set.metadata.ownerReferences).some(({ name }) => name === metadata.name)),
  );
  const [newest] = found.state === 'seen' ? found.value.toSorted((one, other) => revisionOf(other) - revisionOf(one)) : [];
  return newest ? pods.filter(({ owner }) => owner === newest.metadata.name) : pods;
}

const wordsOf = ({ pod, evidence }: PodTrouble): string => `pod ${pod}: ${evidence.join('; ')}`;

function beyondHope({ metadata: { namespace, name } }: KubeObject, trouble: PodTrouble): RefusedError {
  const { pod, container, kind } = trouble;
  const log = kind === 'crashing' ? `kubectl -n ${namespace} logs ${pod} -c ${container} --previous` : '';
  const commands = [log, `kubectl -n ${namespace} describe pod ${pod}`].filter((command) => command !== '').join('; ');
  return new RefusedError(`Deployment ${namespace}/${name} does not roll out: ${wordsOf(trouble)}`, {
    fix: `${commands}. Then put it right and run the same command again.`,
  });
}
