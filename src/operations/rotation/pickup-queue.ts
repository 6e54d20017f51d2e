import { Unreachable } from '../../cluster/faults.ts';
import type { Waiting } from '../wait.ts';
import { longestReadMs } from './settle-time.ts';

/** The queue of kube-apiserver's worker that picks up APIServices, by its metrics. */
export interface PickupQueue {
  /** How many APIServices wait. */
  readonly waiting: number;
  /** How long the worker has been at one APIService, in seconds. */
  readonly busySeconds: number;
}

/**
 * Reads the queue from the metrics of a kube-apiserver
 * (k8s.io/component-base/metrics/prometheus/workqueue/metrics.go).
 * @returns undefined where they do not tell
 */
export function pickupQueueIn(metrics: string): PickupQueue | undefined {
  const [waiting, busySeconds] = ['workqueue_depth', 'workqueue_longest_running_processor_seconds'].map((name) => {
    const [, value] = new RegExp(`^${name}\\{name="APIServiceRegistrationController"\\} (\\S+)$`, 'm').exec(metrics) ?? [];
    return value === undefined ? Number.NaN : Number(value);
  });
  return waiting === undefined || busySeconds === undefined || Number.isNaN(waiting + busySeconds) ? undefined : { waiting, busySeconds };
}

/**
 * Whether the worker may not have picked up what was written some seconds ago. It picks up a change
 * before it reads the OpenAPI document of the same server, so what matters is what comes before.
 */
export const isHeldUp = ({ waiting, busySeconds }: PickupQueue, sinceSeconds: number): boolean =>
  waiting > 0 || busySeconds >= sinceSeconds;

/** Until everything that the queue holds now, and what the worker is at, is picked up, at most. */
export const longestPickupMs = ({ waiting }: PickupQueue): number => (waiting + 1) * longestReadMs;

/**
 * Reads the queue of the kube-apiserver that answers. Of several kube-apiservers, it is one.
 * @returns undefined without the permission to get /metrics, where they do not tell, and while
 * kube-apiserver is not reachable
 */
export async function readPickupQueue({ cluster, signal }: Pick<Waiting, 'cluster' | 'signal'>): Promise<PickupQueue | undefined> {
  try {
    const { status, body } = await cluster.request({ path: '/metrics', signal });
    return status === 200 ? pickupQueueIn(body) : undefined;
  } catch (error) {
    if (error instanceof Unreachable) return undefined;
    throw error;
  }
}
