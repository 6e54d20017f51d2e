import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { etcdUrl } from '../../../src/sandbox/real/components.ts';
import { startControlPlane } from '../../../src/sandbox/real/control-plane.ts';
import { createNetwork, removeNetwork } from '../../../src/sandbox/real/network.ts';
import { isOrphan, ownPrefix } from '../../../src/sandbox/real/owner.ts';
import { program, requirePrograms } from './programs.ts';
import type { Cluster } from './provided.ts';

/** A cold machine reads 400 MB of programs first. */
const startMs = 120_000;

export interface Run {
  readonly cluster: Cluster;
  /** Ends everything and removes it. @param keepLogs - true: the logs move to a folder that stays */
  stop(keepLogs: boolean): Promise<void>;
}

/** Starts a control plane in a namespace and a folder of its own, after clearing away what killed runs left. */
export async function startRun(): Promise<Run> {
  const programs = requirePrograms();
  await removeOrphanedFolders();
  const network = await createNetwork();
  const stateDir = await mkdtemp(join(tmpdir(), ownPrefix()));
  const logDir = join(stateDir, 'logs');
  const stop = async (keepLogs: boolean) => {
    await removeNetwork(network);
    if (keepLogs) await saveLogs(logDir);
    await rm(stateDir, { recursive: true, force: true });
  };
  try {
    const { stop: stopControlPlane, ...access } = await startControlPlane({
      programs: {
        etcd: program(programs, 'etcd'),
        kubeApiserver: program(programs, 'kube-apiserver'),
        kubeControllerManager: program(programs, 'kube-controller-manager'),
      },
      stateDir,
      network,
      now: new Date(),
      signal: AbortSignal.timeout(startMs),
    });
    const cluster = { ...access, network, stateDir, etcdUrl, programs };
    return { cluster, stop: (keepLogs) => stopControlPlane().then(() => stop(keepLogs)) };
  } catch (error) {
    await stop(true);
    throw error;
  }
}

async function saveLogs(logDir: string): Promise<void> {
  const kept = await mkdtemp(join(tmpdir(), 'apisvc-logs-'));
  await cp(logDir, kept, { recursive: true });
  console.error(`\nLogs of the control plane: ${kept}\n`);
}

async function removeOrphanedFolders(): Promise<void> {
  for (const name of (await readdir(tmpdir())).filter(isOrphan)) await rm(join(tmpdir(), name), { recursive: true, force: true });
}
