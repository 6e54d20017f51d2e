import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ControlPlaneAccess } from '../../../../src/sandbox/real/control-plane.ts';
import type { Network } from '../../../../src/sandbox/real/network.ts';
import { type KeyPairFiles, readAuthority, servingCertificate, writePair } from '../../../../src/sandbox/shared/credentials.ts';
import { writeUserKubeconfig } from '../../../../src/sandbox/shared/kubeconfig.ts';
import { containerdSocket } from './containerd.ts';

/** The name of the only node. */
export const nodeName = 'node';

export interface KubeletOptions {
  /** Path of the program. */
  readonly kubelet: string;
  readonly access: ControlPlaneAccess;
  readonly network: Network;
  readonly stateDir: string;
  /** Name of the parent control group of all pods. It must exist. */
  readonly cgroup: string;
  readonly now: Date;
  /** How often kubelet syncs each pod, as a Go duration. */
  readonly syncFrequency: string;
}

/** Writes the credentials and the configuration of kubelet. @returns the command that runs it */
export async function kubeletCommand(options: KubeletOptions): Promise<[string, ...string[]]> {
  const { kubelet, access, network, stateDir, now } = options;
  const kubeconfig = join(stateDir, 'kubelet.kubeconfig');
  // The Node authorizer requires this user name and group (kubernetes.io, Using Node
  // Authorization).
  await writeUserKubeconfig(kubeconfig, access, { user: `system:node:${nodeName}`, groups: ['system:nodes'], now });
  const serving = { cert: join(stateDir, 'kubelet.crt'), key: join(stateDir, 'kubelet.key') };
  const ca = await readAuthority(access.files.ca);
  await writePair(serving, await servingCertificate(ca, `system:node:${nodeName}`, [nodeName, network.address], now));
  const config = join(stateDir, 'kubelet.yaml');
  await writeFile(config, stringify(configuration({ ...options, serving })));
  return [
    kubelet,
    `--config=${config}`,
    `--kubeconfig=${kubeconfig}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${network.address}`,
    `--root-dir=${join(stateDir, 'kubelet')}`,
  ];
}

interface ConfigurationOptions extends Pick<KubeletOptions, 'access' | 'stateDir' | 'cgroup' | 'syncFrequency'> {
  readonly serving: KeyPairFiles;
}

const configuration = ({ access, serving, stateDir, cgroup, syncFrequency }: ConfigurationOptions): object => ({
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  tlsCertFile: serving.cert,
  tlsPrivateKeyFile: serving.key,
  authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: access.files.ca.cert } },
  authorization: { mode: 'Webhook' },
  containerRuntimeEndpoint: `unix://${containerdSocket(stateDir)}`,
  cgroupDriver: 'cgroupfs',
  cgroupRoot: `/${cgroup}`,
  // Since 1.35, kubelet does not start on a host with cgroup v1 unless this is false.
  failCgroupV1: false,
  failSwapOn: false,
  localStorageCapacityIsolation: false,
  oomScoreAdj: 0,
  resolvConf: '/dev/null',
  // Low disk space or memory on the host must not evict pods.
  evictionHard: { 'memory.available': '1Mi', 'nodefs.available': '0%', 'nodefs.inodesFree': '0%', 'imagefs.available': '0%' },
  imageGCHighThresholdPercent: 100,
  // A changed Secret reaches a pod when kubelet syncs the pod.
  syncFrequency,
  podLogsDir: join(access.logDir, 'pods'),
});
