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
import { rejectTrafficFromHost } from './pod-network.ts';

export interface RuntimeOptions {
  readonly programs: Programs;
  readonly network: Network;
  readonly stateDir: string;
  readonly logDir: string;
  /** Name of the control group to create. */
  readonly cgroup: string;
  readonly signal: AbortSignal;
}

/** The container runtime of a node. It does not need a control plane. */
export interface Runtime {
  /** The processes that must not end. */
  readonly processes: readonly RunningProcess[];
  /** Starts a process in the namespaces of the node. */
  start(name: string, command: readonly [string, ...string[]]): void;
  /** Stops all processes of the node and of its pods. */
  stop(): Promise<void>;
}

/**
 * Starts containerd with the images of the test programs in separate namespaces.
 * @throws ClusterError with the last log lines of the process that failed, DeadlineError when
 * `signal` is aborted; in both cases nothing is left running
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
    await rejectTrafficFromHost(network);
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

/**
 * Provides the images to containerd: from the store, or, the first time, by an import that fills
 * the store.
 */
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

/**
 * Imports images of an OCI archive, for the pods of a node that runs. containerd names them by
 * their references in the archive.
 * @param name - the image without its tag
 */
export const importImages = (stateDir: string, archive: string, name: string): Promise<string> =>
  ctr(stateDir, 'images', 'import', '--base-name', name, archive);
