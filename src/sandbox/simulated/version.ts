import type { KubernetesImitated } from '../shared/engine.ts';

const patches: Readonly<Record<KubernetesImitated, string>> = { '1.37': '1.37.2', '1.35': '1.35.4' };

/** The answer of /version: the imitated version, marked as a simulation. */
export function versionInfo(kubernetes: KubernetesImitated): object {
  const [major, minor] = kubernetes.split('.');
  return {
    major,
    minor,
    gitVersion: `v${patches[kubernetes]}+apisvc.simulation`,
  };
}
