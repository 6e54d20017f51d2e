import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ApiserverChange,
  apiserverPort,
  type ControlPlanePrograms,
  etcdCommand,
  kubeApiserverCommand,
  kubeControllerManagerCommand,
  kubernetesServiceAddress,
} from './components.ts';
import { type ControlPlaneFiles, clientCertificate, controlPlaneFiles, readAuthority, writeControlPlaneFiles } from './credentials.ts';
import { writeKubeconfig, writeUserKubeconfig } from './kubeconfig.ts';
import { enter, type Network } from './network.ts';
import { type RunningProcess, startProcess } from './process.ts';
import { answers, type Credentials, waitUntil } from './ready.ts';

export interface ControlPlaneOptions {
  readonly programs: ControlPlanePrograms;
  /** An existing, empty folder of the caller's, who also removes it. */
  readonly stateDir: string;
  /** From createNetwork; removed by the caller, after `stop`. */
  readonly network: Network;
  /** Default true: reach extension servers at their endpoints, since no kube-proxy runs. */
  readonly aggregatorRouting?: boolean;
  readonly apiserver?: ApiserverChange | undefined;
  readonly now: Date;
  /** Ends the wait for readiness. */
  readonly signal: AbortSignal;
}

/** What a client needs, as plain data that another process can use too. */
export interface ControlPlaneAccess {
  /** e.g. https://10.88.1.2:6443 */
  readonly server: string;
  /** A kubeconfig whose user may do everything (group system:masters). */
  readonly kubeconfig: string;
  readonly files: ControlPlaneFiles;
  /** Holds one log per process. */
  readonly logDir: string;
}

export interface ControlPlane extends ControlPlaneAccess {
  /** Ends every process; a second call does nothing. */
  stop(): Promise<void>;
}

const adminUser = { user: 'admin', groups: ['system:masters'] };

/**
 * Starts etcd, kube-apiserver and kube-controller-manager and waits until the controllers do their work.
 * @throws ClusterError when one of them ends, with its last words; DeadlineError when `signal` is aborted. Nothing is left running then.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { programs, stateDir, network, aggregatorRouting = true, apiserver = {}, now, signal } = options;
  const { address } = network;
  const files = controlPlaneFiles(stateDir);
  const access = {
    server: `https://${address}:${apiserverPort}`,
    kubeconfig: join(stateDir, 'admin.kubeconfig'),
    files,
    logDir: join(stateDir, 'logs'),
  };
  await mkdir(access.logDir, { recursive: true });
  await writeControlPlaneFiles(files, apiserverNames(address), now);
  const admin = await writeAdminKubeconfig(access, now);
  const controllerManager = join(stateDir, 'controller-manager.kubeconfig');
  await writeUserKubeconfig(controllerManager, access, { user: 'system:kube-controller-manager', groups: [], now });

  const processes: RunningProcess[] = [];
  const start = (name: string, command: readonly [string, ...string[]], env?: ApiserverChange['env']) =>
    processes.push(startProcess({ name, command, env, enter: enter(network), logFile: join(access.logDir, `${name}.log`) }));
  const stop = async () => void (await Promise.all(processes.map((process) => process.stop())));
  try {
    start('etcd', etcdCommand(programs, stateDir));
    start('kube-apiserver', kubeApiserverCommand(programs, files, { address, aggregatorRouting, ...apiserver }), apiserver.env);
    await waitUntil('kube-apiserver', () => answers(`${access.server}/readyz`, admin), { processes, signal });
    start('kube-controller-manager', kubeControllerManagerCommand(programs, files, controllerManager));
    // Made by the ServiceAccount controller: its existence says that the controllers run.
    const made = `${access.server}/api/v1/namespaces/default/serviceaccounts/default`;
    await waitUntil('kube-controller-manager', () => answers(made, admin), { processes, signal });
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...access, stop };
}

async function writeAdminKubeconfig(access: ControlPlaneAccess, now: Date): Promise<Credentials> {
  const ca = await readAuthority(access.files.ca);
  const { certificates, key } = await clientCertificate(ca, adminUser.user, adminUser.groups, now);
  const identity = { certificate: certificates, key: key.reveal() };
  await writeKubeconfig(access.kubeconfig, adminUser.user, access, identity);
  return { ca: ca.certificates, cert: certificates, key: identity.key };
}

const apiserverNames = (address: string): string[] => [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  kubernetesServiceAddress,
  address,
];
