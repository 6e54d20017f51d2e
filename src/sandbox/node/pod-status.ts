import { timestamp } from '../shared/timestamp.ts';
import type { ContainerOnNode, Json, PodOnNode } from './registry.ts';

/**
 * How a kubelet says that an image is not there and is not going to be (k8s.io/kubernetes/pkg/kubelet/images/types.go): whoever looks at pods, apisvc and kubectl
 * included, knows that only somebody can change that.
 */
export const imageMissing = 'ErrImageNeverPull';
/** What no kubelet says: the pod runs, and this container of it does not. */
export const notRun = 'NotRunInSandbox';

/** What the status of a pod is made of. */
export interface PodProgress extends PodOnNode {
  /** That of the node. */
  readonly address: string;
  readonly startedAt: Date;
  /** Whether everything that it mounts is there. */
  readonly mounted: boolean;
}

/**
 * The status of a pod (k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go, generateAPIPodStatus; status/generate.go). Containers that the sandbox has nothing for keep
 * waiting, and yet the pod is ready as soon as those are that it runs: whether it can serve is what a rehearsal wants to know.
 * @param before the conditions that it had
 */
export function podStatus({ object, containers, address, startedAt, mounted }: PodProgress, before: readonly Json[], now: Date): Json {
  const running = containers.filter(({ runs }) => runs);
  const begun = running.length > 0 && running.every(({ state, last }) => state.kind === 'running' || last !== undefined);
  const unready = running.filter(({ ready }) => !ready).map(({ name }) => name);
  const ready = running.length > 0 && unready.length === 0;
  const lacking = ready ? {} : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  const condition = (type: string, status: boolean, why: object = {}): Json => {
    const had = before.find((each) => each.type === type);
    const said = status ? 'True' : 'False';
    return { type, status: said, ...why, lastTransitionTime: had?.status === said ? had.lastTransitionTime : timestamp(now) };
  };
  return {
    phase: begun ? 'Running' : 'Pending',
    conditions: [
      condition('PodScheduled', true),
      condition('PodReadyToStartContainers', mounted),
      condition('Initialized', true),
      condition('ContainersReady', ready, lacking),
      condition('Ready', ready, lacking),
    ],
    hostIP: address,
    hostIPs: [{ ip: address }],
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: timestamp(startedAt),
    initContainerStatuses: (object.spec.initContainers ?? []).map(skipped),
    containerStatuses: containers.map((container) => containerStatus(container, object.metadata.uid)),
  };
}

function containerStatus({ name, image, state, ready, restarts, last, runs }: ContainerOnNode, uid: string): Json {
  // kubelet finds the log of an earlier run by such a name.
  const containerID = (run: number): string => `${nodeScheme}://${uid}/${name}/${run}`;
  const ran = state.kind === 'running' || last !== undefined;
  return {
    name,
    image,
    imageID: '',
    ready: ready && runs,
    started: state.kind === 'running',
    restartCount: restarts,
    ...(ran ? { containerID: containerID(state.kind === 'running' ? restarts : Math.max(0, restarts - 1)) } : {}),
    state: state.kind === 'running' ? { running: { startedAt: timestamp(state.startedAt) } } : { waiting: waitingOf(state) },
    ...(last ? { lastState: { terminated: terminatedOf(last, containerID(Math.max(0, restarts - 1))) } } : {}),
  };
}

const nodeScheme = 'apisvc-sandbox';

const waitingOf = ({ reason, message }: { readonly reason: string; readonly message?: string }): object => ({
  reason,
  ...(message === undefined ? {} : { message }),
});

const terminatedOf = ({ exitCode, startedAt, finishedAt }: NonNullable<ContainerOnNode['last']>, containerID: string): object => ({
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAt: timestamp(startedAt),
  finishedAt: timestamp(finishedAt),
  containerID,
});

const skipped = ({ name, image }: Json): object => ({
  name,
  image,
  imageID: '',
  ready: false,
  restartCount: 0,
  state: { waiting: { reason: notRun, message: 'apisvc sandbox skips init containers' } },
});
