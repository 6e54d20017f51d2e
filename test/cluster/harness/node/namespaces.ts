import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { enter, type Network } from '../../../../src/sandbox/real/network.ts';
import { waitUntil } from '../../../../src/sandbox/real/ready.ts';
import { type RunningProcess, startProcess } from '../../../../src/sandbox/shared/process.ts';
import { createFolders, machineFolders } from './machine-folders.ts';
import { kernelTunables } from './tunables.ts';

/**
 * The PID and mount namespaces of a node, in addition to its network namespace. A killed containerd
 * leaves its pods running and its file systems mounted. But when process 1 of a PID namespace ends,
 * the kernel kills all other processes in it (pid_namespaces(7)). The mounts go with the last of
 * them.
 */
export interface NodeNamespaces {
  /** The prefix of a command that makes it run in the namespaces. */
  readonly enter: readonly string[];
  /** Process 1. When it ends, all processes in the namespaces end. */
  readonly init: RunningProcess;
}

export interface NamespacesOptions {
  readonly network: Network;
  readonly stateDir: string;
  readonly logDir: string;
  /** Path of a program that reaps orphans and waits, as process 1 has to. */
  readonly pause: string;
  readonly signal: AbortSignal;
}

/**
 * Mounts a tmpfs over each folder with a fixed path, so that containerd, runc and the CNI plugins
 * do not write to those of the host. The PID is read before /proc is mounted, so it is the PID on
 * the host.
 */
const script = (pidFile: string, tunables: readonly string[]): string => `
set -e
read -r pid rest < /proc/self/stat
mount -t proc proc /proc
${createFolders(machineFolders)}
for folder in /run ${machineFolders.join(' ')}; do mount -t tmpfs tmpfs "$folder"; done
${tunables.join('\n')}
echo "$pid" > '${pidFile}'
exec "$0"
`;

/** nsenter forks to enter a PID namespace, so a signal to nsenter does not reach the command. */
const dieWithNsenter = ['setpriv', '--pdeathsig', 'KILL'];

/**
 * Creates the namespaces of a node. They end with the current process.
 * @throws ClusterError with the last log lines of the process that failed, DeadlineError when
 * `signal` is aborted
 */
export async function startNamespaces({ network, stateDir, logDir, pause, signal }: NamespacesOptions): Promise<NodeNamespaces> {
  const pidFile = join(stateDir, 'init.pid');
  const shell = ['sh', '-c', script(pidFile, await kernelTunables(stateDir)), pause];
  const init = startProcess({
    name: 'init',
    command: ['unshare', '--mount', '--pid', '--fork', '--kill-child', ...shell],
    enter: enter(network),
    logFile: join(logDir, 'init.log'),
  });
  try {
    const pid = (): Promise<string> => readFile(pidFile, 'utf8').catch(() => '');
    await waitUntil('the namespaces of the node', async () => (await pid()).endsWith('\n'), { processes: [init], signal });
    return { init, enter: ['nsenter', `--target=${(await pid()).trim()}`, '--mount', '--pid', '--net', ...dieWithNsenter] };
  } catch (error) {
    await init.stop();
    throw error;
  }
}
