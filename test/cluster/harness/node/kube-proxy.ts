import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { ControlPlaneAccess } from '../../../../src/sandbox/real/control-plane.ts';
import { writeUserKubeconfig } from '../../../../src/sandbox/shared/kubeconfig.ts';
import { nodeName } from './kubelet.ts';

export interface KubeProxyOptions {
  /** Path of the program. */
  readonly kubeProxy: string;
  readonly access: ControlPlaneAccess;
  readonly stateDir: string;
  readonly now: Date;
}

/** Writes the kubeconfig and the configuration of kube-proxy. @returns the command that runs it */
export async function kubeProxyCommand({ kubeProxy, access, stateDir, now }: KubeProxyOptions): Promise<[string, ...string[]]> {
  const kubeconfig = join(stateDir, 'kube-proxy.kubeconfig');
  await writeUserKubeconfig(kubeconfig, access, { user: 'system:kube-proxy', groups: [], now });
  const config = join(stateDir, 'kube-proxy.yaml');
  await writeFile(config, stringify(configuration(kubeconfig)));
  return [kubeProxy, `--config=${config}`];
}

const configuration = (kubeconfig: string): object => ({
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  clientConnection: { kubeconfig },
  hostnameOverride: nodeName,
  mode: 'iptables',
  iptables: { minSyncPeriod: '100ms' },
  // Zero keeps the values of the host.
  conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  oomScoreAdj: 0,
});
