import { join } from 'node:path';
import { enter } from '../../../src/sandbox/real/network.ts';
import { type RunningProcess, startProcess as start } from '../../../src/sandbox/real/process.ts';
import { answers, waitUntil } from '../../../src/sandbox/real/ready.ts';
import { program } from './programs.ts';
import { cluster } from './provided.ts';

const startMs = 30_000;
let started = 0;

/** Starts a server in the control plane's namespace, with a log beside the others. The spec stops it. */
export const startProcess = (name: string, command: string, args: readonly string[]): RunningProcess =>
  start({
    name,
    command: [command, ...args],
    enter: enter(cluster.network),
    logFile: join(cluster.logDir, `${name}-${process.pid}-${++started}.log`),
  });

export interface SampleApiserverOptions {
  readonly certFile: string;
  readonly keyFile: string;
  /** Any port above 1024 that no other spec uses; the address is the namespace's. */
  readonly port: number;
  /** Of its ServiceAccount, which must be bound to what `render` grants. */
  readonly kubeconfig: string;
}

/**
 * Starts the real sample-apiserver, which serves wardle.example.com, and waits until it is ready. It keeps its objects in the
 * control plane's etcd under a prefix of its own.
 * @throws ClusterError with its last words when it ends at once
 */
export async function startSampleApiserver({ certFile, keyFile, port, kubeconfig }: SampleApiserverOptions): Promise<RunningProcess> {
  const server = startProcess('sample-apiserver', program(cluster.programs, 'sample-apiserver'), [
    `--etcd-servers=${cluster.etcdUrl}`,
    `--bind-address=${cluster.network.address}`,
    `--secure-port=${port}`,
    `--tls-cert-file=${certFile}`,
    `--tls-private-key-file=${keyFile}`,
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
  ]);
  try {
    const url = `https://${cluster.network.address}:${port}/readyz`;
    await waitUntil('sample-apiserver', () => answers(url, {}), { processes: [server], signal: AbortSignal.timeout(startMs) });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}
