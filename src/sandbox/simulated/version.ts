import type { KubernetesImitated } from '../shared/engine.ts';

const patches: Readonly<Record<KubernetesImitated, string>> = { '1.37': '1.37.2', '1.35': '1.35.4' };

/** The answer of /version: the imitated version, marked as a simulation. */
export function versionInfo(kubernetes: KubernetesImitated): object {
  const [major, minor] = kubernetes.split('.');
  return {
    major,
    minor,
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `v${patches[kubernetes]}+apisvc.simulation`,
    gitCommit: '',
    gitTreeState: '',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: `node ${process.version}`,
    compiler: 'node',
    platform: `${process.platform}/${process.arch}`,
  };
}
