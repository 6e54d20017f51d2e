import { resources } from '../../cluster/resources.ts';
import { nodeName } from './api.ts';
import { follow, type NodeContext } from './controller.ts';
import { type RunningPod, runPod } from './pod.ts';
import type { Json } from './registry.ts';

/** Acts as the kubelet of the node: runs the pods that are on it, and ends those that are to go. @returns when the signal has ended it and all of them are gone */
export async function keepPods(node: NodeContext): Promise<void> {
  const running = new Map<string, RunningPod>();
  const ending = new Map<string, Promise<void>>();
  /** @param pod as it is now; undefined when it is gone from the cluster */
  const end = (uid: string, pod: Json): void => {
    if (ending.has(uid)) return;
    const ended = (async () => {
      await running.get(uid)?.end();
      // Only now it is gone from the cluster (k8s.io/kubernetes/pkg/kubelet/status/status_manager.go, syncPod).
      if (pod && !node.signal.aborted) await node.api.remove(pod, 0);
    })();
    ending.set(
      uid,
      ended
        .catch((error: unknown) => {
          // Tried again with the next change, at the latest when the node ends.
          if (!node.signal.aborted) node.onError(error);
        })
        .finally(() => {
          running.delete(uid);
          ending.delete(uid);
        }),
    );
  };
  await follow(node, { resource: resources.Pod }, (objects) => {
    const pods = new Map(
      (objects as readonly Json[]).filter(({ spec }) => spec.nodeName === nodeName).map((pod) => [pod.metadata.uid, pod]),
    );
    for (const uid of running.keys()) if (!pods.has(uid)) end(uid, undefined);
    for (const [uid, pod] of pods) {
      if (pod.metadata.deletionTimestamp !== undefined) end(uid, pod);
      else if (!running.has(uid)) running.set(uid, runPod(node, pod));
    }
  });
  await Promise.all([...running.values()].map((pod) => pod.end()));
}
