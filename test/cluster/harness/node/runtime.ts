import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Network } from '../../../../src/sandbox/real/network.ts';
import { waitUntil } from '../../../../src/sandbox/real/ready.ts';
import { output } from '../../../../src/sandbox/shared/command.ts';
import { type RunningProcess, startProcess } from '../../../../src/sandbox/shared/process.ts';
import { type Programs, program } from '../programs.ts';
import { createCgroup, removeCgroup } from './cgroups.ts';
import { containerdCommand, containerdRoot, containerdSocket } from './containerd.ts';
import { copyRoot, fillStore, imageStore } from './image-store.ts';
import { imagesOf, packImages } from './images.ts';
import { startNamespaces } from './namespaces.ts';
import { turnHostAwayFromPods } from './pod-network.ts';

export interface RuntimeOptions {
  readonly programs: Programs;
  readonly network: Network;
  readonly stateDir: string;
  readonly logDir: string;
  /** Name of a control group that does not exist yet. */
  readonly cgroup: string;
  readonly signal: AbortSignal;
}

/** What runs containers, and needs no control plane for it. */
export interface Runtime {
  /** Those whose end is a failure. */
  readonly processes: readonly RunningProcess[];
  /** Starts a process in the namespaces of the node. */
  start(name: string, command: readonly [string, ...string[]]): void;
  /** Ends every process of the node and of its pods. */
  stop(): Promise<void>;
}

/**
 * Starts containerd, with the images of our programs, in namespaces of its own.
 * @throws ClusterError with the last words of what failed; DeadlineError when `signal` is aborted. Nothing is left running then.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { network, stateDir, logDir, cgroup, programs, signal } = options;
  const { init, enter } = await startNamespaces({ network, stateDir, logDir, pause: program(programs, 'pause'), signal });
  const run = (name: string, command: readonly [string, ...string[]]): RunningProcess =>
    startProcess({ name, command, enter, logFile: join(logDir, `${name}.log`) });
  const stop = async () => {
    await init.stop();
    await removeCgroup(cgroup);
  };
  try {
    await createCgroup(cgroup);
    await turnHostAwayFromPods(network);
    const command = await containerdCommand(stateDir, network);
    const startContainerd = async (): Promise<RunningProcess> => {
      const containerd = run('containerd', command);
      await waitUntil('containerd', () => answers(stateDir), { processes: [init, containerd], signal });
      return containerd;
    };
    await provideImages(options, startContainerd);
    const processes = [init, await startContainerd()];
    return { processes, start: (...process) => void processes.push(run(...process)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Puts the images where containerd will find them. The first time it imports them itself. */
async function provideImages({ programs, stateDir }: RuntimeOptions, startContainerd: () => Promise<RunningProcess>): Promise<void> {
  const store = await imageStore(programs);
  const root = containerdRoot(stateDir);
  if (existsSync(store)) return copyRoot(store, root);
  const archive = await packImages(imagesOf(programs), join(stateDir, 'images'));
  const containerd = await startContainerd();
  await ctr(stateDir, 'images', 'import', archive);
  await containerd.stop();
  await rm(archive);
  await fillStore(store, root);
}

const answers = (stateDir: string): Promise<boolean> =>
  ctr(stateDir, 'version').then(
    () => true,
    () => false,
  );

const ctr = (stateDir: string, ...args: string[]): Promise<string> =>
  output('ctr', '--address', containerdSocket(stateDir), '--namespace', 'k8s.io', ...args);
