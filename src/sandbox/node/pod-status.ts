import { timestamp } from '../shared/timestamp.ts';
import type { ContainerOnNode, Json, PodOnNode } from './registry.ts';

/**
 * The kubelet's reason for an image that it does not have and must not pull
 * (k8s.io/kubernetes/pkg/kubelet/images/types.go). apisvc knows that only a user can solve that.
 */
export const imageMissing = 'ErrImageNeverPull';
/** A reason of the sandbox only: the pod runs without this container. */
export const notRun = 'NotRunInSandbox';

/** What the status of a pod is computed from. */
export interface PodProgress extends PodOnNode {
  /** The address of the node. */
  readonly address: string;
  readonly startedAt: Date;
  /** Whether all volumes are mounted. */
  readonly mounted: boolean;
}

/**
 * The status of a pod (k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go, generateAPIPodStatus;
 * status/generate.go). Containers that do not run here do not count for Ready.
 * @param before the previous conditions
 */
export function podStatus({ object, containers, address, startedAt, mounted }: PodProgress, before: readonly Json[], now: Date): Json {
  const running = containers.filter(({ runs }) => runs);
  const started = running.length > 0 && running.every(({ state, last }) => state.kind === 'running' || last !== undefined);
  const unready = running.filter(({ ready }) => !ready).map(({ name }) => name);
  const ready = running.length > 0 && unready.length === 0;
  const details = ready ? {} : { reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` };
  const condition = (type: string, holds: boolean, why: object = {}): Json => {
    const previous = before.find((each) => each.type === type);
    const status = holds ? 'True' : 'False';
    return { type, status, ...why, lastTransitionTime: previous?.status === status ? previous.lastTransitionTime : timestamp(now) };
  };
  return {
    phase: started ? 'Running' : 'Pending',
    conditions: [condition('PodScheduled', true), condition('PodReadyToStartContainers', mounted), condition('Ready', ready, details)],
    hostIP: address,
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: timestamp(startedAt),
    containerStatuses: containers.map((container) => containerStatus(container, object.metadata.uid)),
  };
}

function containerStatus({ name, image, state, ready, restarts, last, runs }: ContainerOnNode, uid: string): Json {
  const lastID = `apisvc-sandbox://${uid}/${name}/${Math.max(0, restarts - 1)}`;
  return {
    name,
    image,
    imageID: '',
    ready: ready && runs,
    started: state.kind === 'running',
    restartCount: restarts,
    state:
      state.kind === 'running'
        ? { running: { startedAt: timestamp(state.startedAt) } }
        : { waiting: { reason: state.reason, ...(state.message === undefined ? {} : { message: state.message }) } },
    ...(last ? { lastState: { terminated: terminatedOf(last, lastID) } } : {}),
  };
}

/** @param containerID names the run whose log `kubectl logs --previous` shows */
const terminatedOf = ({ exitCode, startedAt, finishedAt }: NonNullable<ContainerOnNode['last']>, containerID: string): object => ({
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAt: timestamp(startedAt),
  finishedAt: timestamp(finishedAt),
  containerID,
});
