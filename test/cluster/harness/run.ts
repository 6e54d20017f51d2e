import { cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { cacheRoot } from '../../../scripts/components.mjs';
import { ApisvcError } from '../../../src/errors.ts';
import { type ApiserverChange, type ControlPlanePrograms, etcdUrl } from '../../../src/sandbox/real/components.ts';
import { startControlPlane } from '../../../src/sandbox/real/control-plane.ts';
import { createNetwork, removeNetwork, removeOrphanedNetworks, requireNamespaces } from '../../../src/sandbox/real/network.ts';
import { placeIn } from '../../../src/sandbox/real/place.ts';
import { isOrphan, ownPrefix } from '../../../src/sandbox/shared/owner.ts';
import type { Cell } from './cells.ts';
import { removeOrphanedCgroups } from './node/cgroups.ts';
import { removeCreatedFolders } from './node/machine-folders.ts';
import { startNode } from './node/node.ts';
import { requireNodePackages } from './node/packages.ts';
import { startRuntime } from './node/runtime.ts';
import { isOwnFolder } from './own-folder.ts';
import { type Programs, program, requirePrograms } from './programs.ts';
import type { Cluster } from './provided.ts';
import { runAllSteps } from './run-all-steps.ts';

/** Long enough to read 400 MB of programs from a cold disk. */
const startMs = 120_000;

export interface Run {
  readonly cluster: Cluster;
  /**
   * Stops all processes and removes all files.
   * @param keepLogs - copy the logs to a folder that is not removed
   */
  stop(keepLogs: boolean): Promise<void>;
}

/** Where a control plane runs. */
export type Place = Pick<Cluster, 'network' | 'stateDir'>;

export interface Variant extends Cell {
  /** Whether to start a node that runs pods. */
  readonly node: boolean;
  /** How often kubelet syncs each pod, as a Go duration. The default suits the specs. */
  readonly syncFrequency?: string | undefined;
  /** Changes to the flags of kube-apiserver. */
  readonly apiserver?: ((place: Place) => Promise<ApiserverChange>) | undefined;
}

const controlPlaneOnly: Variant = { kubernetes: '1.37', aggregatorRouting: true, node: false };

/**
 * Removes what killed runs left behind, then starts a control plane, and optionally a node, in
 * separate namespaces and a separate folder.
 */
export async function startRun({ node, apiserver, syncFrequency = '2s', ...cell }: Variant = controlPlaneOnly): Promise<Run> {
  requireNamespaces();
  if (node) requireNodePackages();
  const programs = requirePrograms({ kubernetes: cell.kubernetes, node });
  await removeOrphans();
  const network = await createNetwork();
  const stateDir = await mkdtemp(join(tmpdir(), ownPrefix()));
  const logDir = join(stateDir, 'logs');
  const started: { stop(): Promise<void> }[] = [];
  const stopAll = async (keepLogs: boolean): Promise<Stopped> => {
    let logs = logDir;
    const errors = await runAllSteps(
      ...started.map((part) => () => part.stop()),
      () => removeNetwork(network),
      async () => {
        if (keepLogs) logs = await saveLogs(logDir);
      },
      () => removeFolder(stateDir),
      () => removeCreatedFolders(),
    );
    return { logs, errors };
  };
  const keep = async <T extends { stop(): Promise<void> }>(part: Promise<T>): Promise<T> => {
    started.push(await part);
    return part;
  };
  const place = placeIn(network);
  const common = { stateDir, network, now: new Date(), signal: AbortSignal.timeout(startMs) };
  const nodeOptions = { ...common, programs, logDir, cgroup: basename(stateDir), syncFrequency };
  try {
    await mkdir(logDir);
    const controlPlane = keep(
      startControlPlane({ ...common, ...cell, place, apiserver: await apiserver?.(common), programs: controlPlanePrograms(programs) }),
    );
    const runtime = node ? keep(startRuntime(nodeOptions)) : undefined;
    // If one of the two fails, wait until the other has started, because it can be stopped only
    // then.
    await Promise.allSettled([controlPlane, runtime]);
    const { stop: _, died: __, ...access } = await controlPlane;
    if (runtime) await startNode({ ...nodeOptions, runtime: await runtime, access });
    return {
      cluster: { ...access, network, stateDir, etcdUrl: etcdUrl(place), programs, cell },
      stop: (keepLogs) => stopAll(keepLogs).then(throwErrors),
    };
  } catch (error) {
    const { logs, errors } = await stopAll(true);
    // The thrown error is the one that prevented the start; errors of the cleanup are only printed.
    for (const { message } of errors) console.error(`cleanup failed: ${message}`);
    if (!(error instanceof ApisvcError) || error.fix === undefined) throw error;
    throw new ApisvcError(error.message, error.exitCode, { fix: error.fix.replaceAll(logDir, logs), cause: error.cause });
  }
}

interface Stopped {
  /** The folder with the logs; removed already unless they were kept. */
  readonly logs: string;
  readonly errors: readonly Error[];
}

function throwErrors({ errors }: Stopped): void {
  if (errors.length > 1) throw new AggregateError(errors, `failed to stop the cluster: ${errors.map(({ message }) => message).join('; ')}`);
  if (errors[0]) throw errors[0];
}

const controlPlanePrograms = (programs: Programs): ControlPlanePrograms => ({
  etcd: program(programs, 'etcd'),
  kubeApiserver: program(programs, 'kube-apiserver'),
  kubeControllerManager: program(programs, 'kube-controller-manager'),
});

/** Copies the logs to a folder that is not removed. @returns the path of that folder */
async function saveLogs(logDir: string): Promise<string> {
  const kept = await mkdtemp(join(tmpdir(), 'apisvc-logs-'));
  await cp(logDir, kept, { recursive: true });
  console.error(`\nLogs of the cluster: ${kept}\n`);
  return kept;
}

/** Removes everything that killed runs left behind. */
export async function removeOrphans(): Promise<void> {
  // The processes go first, because they keep the other resources busy. They end with their
  // network.
  await removeOrphanedNetworks();
  await removeOrphanedCgroups();
  await removeCreatedFolders();
  for (const path of await orphansIn(tmpdir())) if (await isOwnFolder(path)) await removeFolder(path);
  // Containers that share a cache can have separate process IDs. A store that another container is
  // filling then looks orphaned, so only old ones are removed.
  for (const path of await orphansIn(cacheRoot())) if (await isOlderThan(path, storeMs)) await removeFolder(path);
}

/** Far longer than filling a store takes. */
const storeMs = 3_600_000;

const orphansIn = async (parent: string): Promise<string[]> =>
  (await readdir(parent).catch(() => [])).filter(isOrphan).map((name) => join(parent, name));

const isOlderThan = (path: string, ms: number): Promise<boolean> =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > ms,
    () => false,
  );

/** Retries, because a child of a killed process, such as cp, can write for a moment longer. */
const removeFolder = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 5 });
