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
}

/**
 * Joins a runtime to a control plane as its one node, and waits until that is Ready.
 * @throws ClusterError with the last words of what failed, DeadlineError when `signal` is aborted
 */
export async function startNode({ runtime, access, programs, network, stateDir, cgroup, now, signal }: NodeOptions): Promise<void> {
  // Towards the address of a Service the kernel wants a route before kube-proxy's rules replace it by that of an endpoint.
  await output('ip', '-n', network.name, 'route', 'add', serviceAddresses, 'dev', 'lo', 'src', network.address);
  const scheduler = join(stateDir, 'scheduler.kubeconfig');
  await writeUserKubeconfig(scheduler, access, { user: 'system:kube-scheduler', groups: [], now });
  const schedulerFlags = [`--kubeconfig=${scheduler}`, '--leader-elect=false', '--bind-address=127.0.0.1'];
  runtime.start('kube-scheduler', [program(programs, 'kube-scheduler'), ...schedulerFlags]);
  runtime.start('kubelet', await kubeletCommand({ kubelet: program(programs, 'kubelet'), access, network, stateDir, cgroup, now }));
  runtime.start('kube-proxy', await kubeProxyCommand({ kubeProxy: program(programs, 'kube-proxy'), access, stateDir, now }));
  const wait = ['wait', '--for=condition=Ready', `node/${nodeName}`, '--timeout=1s'];
  const isReady = (): Promise<boolean> =>
    output(program(programs, 'kubectl'), `--kubeconfig=${access.kubeconfig}`, ...wait).then(
      () => true,
      () => false,
    );
  await waitUntil('the node', isReady, { processes: runtime.processes, signal });
}
