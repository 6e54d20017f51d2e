import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ApisvcError } from '../../errors.ts';
import { type ControlPlaneFiles, controlPlaneFiles, writeControlPlaneFiles } from '../shared/credentials.ts';
import { kubernetesServiceAddress } from '../shared/engine.ts';
import { writeUserKubeconfig } from '../shared/kubeconfig.ts';
import { type RunningProcess, startProcess } from '../shared/process.ts';
import {
  type ApiserverChange,
  type ControlPlanePrograms,
  etcdCommand,
  kubeApiserverCommand,
  kubeControllerManagerCommand,
} from './components.ts';
import type { Place } from './place.ts';
import { answers, processError, waitUntil } from './ready.ts';

export interface ControlPlaneOptions {
  readonly programs: ControlPlanePrograms;
  /** An existing, empty folder, which the caller removes. */
  readonly stateDir: string;
  /** The caller removes its network after `stop`. */
  readonly place: Place;
  /** Default true: reach servers at their endpoints, without kube-proxy. */
  readonly aggregatorRouting?: boolean;
  readonly apiserver?: ApiserverChange | undefined;
  /** Default: all controllers that are enabled by default. */
  readonly controllers?: readonly string[];
  readonly now: Date;
  /** Ends the wait for readiness. */
  readonly signal: AbortSignal;
}

/** What a client needs, as plain data for other processes. */
export interface ControlPlaneAccess {
  /** e.g. https://10.88.1.2:6443 */
  readonly server: string;
  /** A kubeconfig of a cluster administrator (group system:masters). */
  readonly kubeconfig: string;
  readonly files: ControlPlaneFiles;
  /** Holds one log per process. */
  readonly logDir: string;
}

export interface ControlPlane extends ControlPlaneAccess {
  /** Resolves when one of its processes ends by itself; never otherwise. */
  readonly died: Promise<ApisvcError>;
  /** Ends every process. A second call does nothing. */
  stop(): Promise<void>;
}

const adminUser = { user: 'admin', groups: ['system:masters'] };

/**
 * Starts etcd, kube-apiserver and, if available, kube-controller-manager, and waits until they
 * work. After an error nothing is left running.
 * @throws ClusterError when a process ends, with its last message; DeadlineError when `signal`
 * aborts
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { programs, stateDir, place, aggregatorRouting = true, apiserver = {}, now, signal } = options;
  const { address, ports } = place;
  const files = controlPlaneFiles(stateDir);
  const access = {
    server: `https://${address}:${ports.apiserver}`,
    kubeconfig: join(stateDir, 'admin.kubeconfig'),
    files,
    logDir: join(stateDir, 'logs'),
  };
  await mkdir(access.logDir, { recursive: true });
  await writeControlPlaneFiles(files, apiserverNames(address), now);
  const { certificate: cert, key } = await writeUserKubeconfig(access.kubeconfig, access, { ...adminUser, now });
  const admin = { ca: await readFile(files.ca.cert, 'utf8'), cert, key };
  const controllerManager = join(stateDir, 'controller-manager.kubeconfig');
  await writeUserKubeconfig(controllerManager, access, { user: 'system:kube-controller-manager', groups: [], now });

  const processes: RunningProcess[] = [];
  const start = (name: string, command: readonly [string, ...string[]], env?: ApiserverChange['env']) =>
    processes.push(startProcess({ name, command, env, enter: place.enter, logFile: join(access.logDir, `${name}.log`) }));
  let stopped = false;
  const stop = async () => {
    stopped = true;
    await Promise.all(processes.map((process) => process.stop()));
  };
  try {
    start('etcd', etcdCommand(programs, files, stateDir, place));
    start('kube-apiserver', kubeApiserverCommand(programs, files, { place, aggregatorRouting, ...apiserver }), apiserver.env);
    await waitUntil('kube-apiserver', () => answers(`${access.server}/readyz`, admin), { processes, signal });
    if (programs.kubeControllerManager !== undefined) {
      const chosen = { place, kubeconfig: controllerManager, controllers: options.controllers };
      start('kube-controller-manager', kubeControllerManagerCommand(programs.kubeControllerManager, files, chosen));
      // The ServiceAccount controller creates it, so its existence proves that controllers run.
      const defaultAccount = `${access.server}/api/v1/namespaces/default/serviceaccounts/default`;
      await waitUntil('kube-controller-manager', () => answers(defaultAccount, admin), { processes, signal });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  const died = new Promise<ApisvcError>((resolve) => {
    for (const process of processes) process.gone.then(() => stopped || resolve(processError(process)));
  });
  return { ...access, died, stop };
}

const apiserverNames = (address: string): string[] => [
  ...['', '.default', '.default.svc', '.default.svc.cluster.local'].map((suffix) => `kubernetes${suffix}`),
  kubernetesServiceAddress,
  address,
];
