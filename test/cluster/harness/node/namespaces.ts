import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { enter, type Network } from '../../../../src/sandbox/real/network.ts';
import { waitUntil } from '../../../../src/sandbox/real/ready.ts';
import { type RunningProcess, startProcess } from '../../../../src/sandbox/shared/process.ts';
import { machineFolders, makeFolders } from './machine-folders.ts';
import { kernelTunables } from './tunables.ts';

/**
 * The namespaces of a node: those of its processes and its mounts, besides the network's. A containerd that is killed leaves its pods
 * running and everything mounted; but with process 1 of such a namespace the kernel ends all the others (pid_namespaces(7)), and with
 * the last of them the mounts go.
 */
export interface NodeNamespaces {
  /** The words before a command so that it runs inside. */
  readonly enter: readonly string[];
  /** Its end is the end of everything inside. */
  readonly init: RunningProcess;
}

export interface NamespacesOptions {
  readonly network: Network;
  readonly stateDir: string;
  readonly logDir: string;
  /** Path of a program that reaps orphans and waits, as process 1 must. */
  readonly pause: string;
  readonly signal: AbortSignal;
}

/**
 * What containerd, runc and the CNI plugins keep at fixed places is kept out of the machine's own by a tmpfs over each. The first line is the pid as the machine counts: /proc still is the machine's.
 */
const script = (pidFile: string, tunables: readonly string[]): string => `
set -e
read -r pid rest < /proc/self/stat
mount -t proc proc /proc
${makeFolders(machineFolders)}
for folder in /run ${machineFolders.join(' ')}; do mount -t tmpfs tmpfs "$folder"; done
${tunables.join('\n')}
echo "$pid" > '${pidFile}'
exec "$0"
`;

/** To enter a process namespace nsenter must fork, so that a signal to it alone would not reach the command. */
const dieWithNsenter = ['setpriv', '--pdeathsig', 'KILL'];

/**
 * Makes the namespaces of a node. They end with the process that made them.
 * @throws ClusterError with the last words of what failed, DeadlineError when `signal` is aborted
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
