import { resources } from '../../cluster/resources.ts';
import { nodeName } from './api.ts';
import { follow, type NodeContext } from './controller.ts';
import { type RunningPod, startPod } from './pod.ts';
import type { Json } from './registry.ts';

/** Starts and ends the pods of the node until the signal aborts. @returns when all have ended */
export async function runPods(node: NodeContext): Promise<void> {
  const running = new Map<string, RunningPod>();
  const ending = new Set<string>();
  /** @param pod undefined when it no longer exists */
  const end = async (uid: string, pod: Json): Promise<void> => {
    if (ending.has(uid)) return;
    ending.add(uid);
    try {
      await running.get(uid)?.end();
      // The kubelet deletes the object last (pkg/kubelet/status/status_manager.go, syncPod).
      if (pod && !node.signal.aborted) await node.api.remove(pod, 0);
    } catch (error) {
      // The next change of a pod tries again.
      if (!node.signal.aborted) node.onError(error);
    } finally {
      running.delete(uid);
      ending.delete(uid);
    }
  };
  await follow(node, { resource: resources.Pod }, (objects) => {
    const pods = new Map(
      (objects as readonly Json[]).filter(({ spec }) => spec.nodeName === nodeName).map((pod) => [pod.metadata.uid, pod]),
    );
    for (const uid of running.keys()) if (!pods.has(uid)) void end(uid, undefined);
    for (const [uid, pod] of pods) {
      if (pod.metadata.deletionTimestamp !== undefined) void end(uid, pod);
      else if (!running.has(uid)) running.set(uid, startPod(node, pod));
    }
  });
  await Promise.all([...running.values()].map((pod) => pod.end()));
}
