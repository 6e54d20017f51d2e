import { join } from 'node:path';
import { enter } from '../../../src/sandbox/real/network.ts';
import { answers, waitUntil } from '../../../src/sandbox/real/ready.ts';
import { type RunningProcess, startProcess as start } from '../../../src/sandbox/shared/process.ts';
import { program } from './programs.ts';
import { type Cluster, cluster } from './provided.ts';

const startMs = 90_000;
let started = 0;

/**
 * Starts a server in the network namespace of the control plane, and writes its log to the log
 * folder of the run. The spec stops it.
 */
export const startProcess = (name: string, command: string, args: readonly string[], on = cluster): RunningProcess =>
  start({
    name,
    command: [command, ...args],
    enter: enter(on.network),
    logFile: join(on.logDir, `${name}-${process.pid}-${++started}.log`),
  });

/**
 * Starts a server built on k8s.io/apiserver at the address of the network namespace, and waits
 * until it is ready.
 * @param port - above 1024, and not used by another spec
 * @throws ClusterError with its last log lines if it exits before it is ready
 */
export async function startServer(
  name: string,
  path: string,
  port: number,
  args: readonly string[],
  on = cluster,
): Promise<RunningProcess> {
  const { address } = on.network;
  const server = startProcess(name, path, [`--bind-address=${address}`, `--secure-port=${port}`, ...args], on);
  try {
    const ready = () => answers(`https://${address}:${port}/readyz`, {});
    await waitUntil(name, ready, { processes: [server], signal: AbortSignal.timeout(startMs) });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/**
 * The flags for delegated authentication and authorization.
 * @param kubeconfig - of the server's ServiceAccount
 */
export const delegation = (kubeconfig: string): string[] => [
  `--authentication-kubeconfig=${kubeconfig}`,
  `--authorization-kubeconfig=${kubeconfig}`,
];

export interface SampleApiserverOptions {
  readonly certFile: string;
  readonly keyFile: string;
  readonly port: number;
  /** Of its ServiceAccount, which needs the RBAC rules that `render` prints. */
  readonly kubeconfig: string;
  /**
   * The cluster whose etcd and network namespace the server uses. The default is the current one.
   */
  readonly on?: Cluster;
}

/**
 * Starts the real sample-apiserver, which serves wardle.example.com. It stores its objects in the
 * etcd of the control plane under a separate prefix.
 * @throws as `startServer`
 */
export const startSampleApiserver = ({
  certFile,
  keyFile,
  port,
  kubeconfig,
  on = cluster,
}: SampleApiserverOptions): Promise<RunningProcess> =>
  startServer(
    'sample-apiserver',
    program(on.programs, 'sample-apiserver'),
    port,
    [
      `--etcd-servers=${on.etcdUrl}`,
      `--tls-cert-file=${certFile}`,
      `--tls-private-key-file=${keyFile}`,
      `--kubeconfig=${kubeconfig}`,
      ...delegation(kubeconfig),
      // Kubernetes 1.35 does not serve the policies that this plugin watches.
      ...(on.cell.kubernetes === '1.35' ? ['--disable-admission-plugins=MutatingAdmissionPolicy'] : []),
    ],
    on,
  );
