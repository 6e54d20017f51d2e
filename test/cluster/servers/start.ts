import type { RunningProcess } from '../../../src/sandbox/real/process.ts';
import { answers, waitUntil } from '../../../src/sandbox/real/ready.ts';
import { apisvc } from '../harness/commands.ts';
import { untilSaid } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { startProcess } from '../harness/servers.ts';

const startMs = 30_000;

/**
 * Starts a server built on k8s.io/apiserver at the namespace's address and waits until it is ready.
 * @param port - one above 1024 that no other spec uses
 * @throws ClusterError with its last words when it ends at once
 */
export async function startServer(name: string, path: string, port: number, args: readonly string[]): Promise<RunningProcess> {
  const { address } = cluster.network;
  const server = startProcess(name, path, [`--bind-address=${address}`, `--secure-port=${port}`, ...args]);
  try {
    const ready = () => answers(`https://${address}:${port}/readyz`, {});
    await waitUntil(name, ready, { processes: [server], signal: AbortSignal.timeout(startMs) });
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** The flags by which a server asks kube-apiserver who a user is and what they may do. @param kubeconfig - of its ServiceAccount */
export const delegation = (kubeconfig: string): string[] => [
  `--authentication-kubeconfig=${kubeconfig}`,
  `--authorization-kubeconfig=${kubeconfig}`,
];

/**
 * Registers a project whose server can start only when register has made its ServiceAccount.
 * @param start - called when register waits for the server
 * @param env - added to the environment of apisvc
 * @returns exit code and output of register
 */
export async function registerAnd(dir: string, start: () => Promise<unknown>, env: Readonly<Record<string, string>> = {}) {
  const registering = apisvc(['register', '--timeout', '80s'], { cwd: dir, env });
  await untilSaid(registering, /connection refused/);
  await start();
  return registering;
}
