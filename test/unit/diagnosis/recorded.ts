import type { PodView, Snapshot } from '../../../src/snapshot/types.ts';
import type { KubernetesVersion } from '../../cluster/harness/cells.ts';
import { readRecording } from '../../cluster/laboratory/recording.ts';

/**
 * A snapshot that was recorded from a real cluster.
 * @param fault the name of the fault in the laboratory
 */
export function recorded(fault: string, kubernetes: KubernetesVersion = '1.37'): Snapshot {
  const { snapshot } = readRecording(kubernetes, fault) ?? {};
  if (!snapshot) throw new Error(`no recording of ${fault}`);
  return snapshot;
}

/** The pods of a recorded snapshot. */
export function recordedPods(fault: string): readonly PodView[] {
  const pods = recorded(fault).apis[0]?.pods;
  if (pods?.state !== 'seen') throw new Error(`${fault} has no pods`);
  return pods.value;
}
