import { join } from 'node:path';
import { serviceAddresses } from '../../../../src/sandbox/real/components.ts';
import type { ControlPlaneAccess } from '../../../../src/sandbox/real/control-plane.ts';
import { waitUntil } from '../../../../src/sandbox/real/ready.ts';
import { output } from '../../../../src/sandbox/shared/command.ts';
import { writeUserKubeconfig } from '../../../../src/sandbox/shared/kubeconfig.ts';
import { program } from '../programs.ts';
import { kubeProxyCommand } from './kube-proxy.ts';
import { kubeletCommand, nodeName } from './kubelet.ts';
import type { Runtime, RuntimeOptions } from './runtime.ts';

export interface NodeOptions extends RuntimeOptions {
  readonly runtime: Runtime;
  readonly access: ControlPlaneAccess;
  readonly now: Date;
  /** How often kubelet syncs each pod, as a Go duration. */
  readonly syncFrequency: string;
}

/**
 * Joins a runtime to a control plane as its only node, and waits until the node is Ready.
 * @throws ClusterError with the last log lines of the process that failed, DeadlineError when
 * `signal` is aborted
 */
export async function startNode(options: NodeOptions): Promise<void> {
  const { runtime, access, programs, network, stateDir, now, signal } = options;
  // The kernel needs a route to the cluster IP of a Service before the rules of kube-proxy replace
  // the address with that of an endpoint.
  await output('ip', '-n', network.name, 'route', 'add', serviceAddresses, 'dev', 'lo', 'src', network.address);
  const scheduler = join(stateDir, 'scheduler.kubeconfig');
  await writeUserKubeconfig(scheduler, access, { user: 'system:kube-scheduler', groups: [], now });
  const schedulerFlags = [`--kubeconfig=${scheduler}`, '--leader-elect=false', '--bind-address=127.0.0.1'];
  runtime.start('kube-scheduler', [program(programs, 'kube-scheduler'), ...schedulerFlags]);
  runtime.start('kubelet', await kubeletCommand({ ...options, kubelet: program(programs, 'kubelet') }));
  runtime.start('kube-proxy', await kubeProxyCommand({ kubeProxy: program(programs, 'kube-proxy'), access, stateDir, now }));
  const wait = ['wait', '--for=condition=Ready', `node/${nodeName}`, '--timeout=1s'];
  const isReady = (): Promise<boolean> =>
    output(program(programs, 'kubectl'), `--kubeconfig=${access.kubeconfig}`, ...wait).then(
      () => true,
      () => false,
    );
  await waitUntil('the node', isReady, { processes: runtime.processes, signal });
}
