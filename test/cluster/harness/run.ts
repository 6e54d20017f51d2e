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
import { allSteps } from './all-steps.ts';
import type { Cell } from './cells.ts';
import { removeOrphanedCgroups } from './node/cgroups.ts';
import { removeMadeFolders } from './node/machine-folders.ts';
import { startNode } from './node/node.ts';
import { requireNodePackages } from './node/packages.ts';
import { startRuntime } from './node/runtime.ts';
import { isOwnFolder } from './own-folder.ts';
import { type Programs, program, requirePrograms } from './programs.ts';
import type { Cluster } from './provided.ts';

/** A cold machine reads 400 MB of programs first. */
const startMs = 120_000;

export interface Run {
  readonly cluster: Cluster;
  /** Ends everything and removes it. @param keepLogs - true: the logs move to a folder that stays */
  stop(keepLogs: boolean): Promise<void>;
}

/** Where a control plane will run. */
export type Place = Pick<Cluster, 'network' | 'stateDir'>;

export interface Variant extends Cell {
  /** Whether there is a node, to run pods on. */
  readonly node: boolean;
  /** How its kube-apiserver differs from the others. */
  readonly apiserver?: ((place: Place) => Promise<ApiserverChange>) | undefined;
}

const controlPlaneOnly: Variant = { kubernetes: '1.37', aggregatorRouting: true, node: false };

/** Starts a control plane, and a node if asked for, in namespaces and a folder of its own, after clearing away what killed runs left. */
export async function startRun({ node, apiserver, ...cell }: Variant = controlPlaneOnly): Promise<Run> {
  requireNamespaces();
  if (node) requireNodePackages();
  const programs = requirePrograms({ kubernetes: cell.kubernetes, node });
  await removeOrphans();
  const network = await createNetwork();
  const stateDir = await mkdtemp(join(tmpdir(), ownPrefix()));
  const logDir = join(stateDir, 'logs');
  const started: { stop(): Promise<void> }[] = [];
  const end = async (keepLogs: boolean): Promise<Ended> => {
    let logs = logDir;
    const faults = await allSteps(
      ...started.map((part) => () => part.stop()),
      () => removeNetwork(network),
      async () => {
        if (keepLogs) logs = await saveLogs(logDir);
      },
      () => removeFolder(stateDir),
      () => removeMadeFolders(),
    );
    return { logs, faults };
  };
  const keep = async <T extends { stop(): Promise<void> }>(part: Promise<T>): Promise<T> => {
    started.push(await part);
    return part;
  };
  const place = placeIn(network);
  const common = { stateDir, network, now: new Date(), signal: AbortSignal.timeout(startMs) };
  const nodeOptions = { ...common, programs, logDir, cgroup: basename(stateDir) };
  try {
    await mkdir(logDir);
    const controlPlane = keep(
      startControlPlane({ ...common, ...cell, place, apiserver: await apiserver?.(common), programs: controlPlanePrograms(programs) }),
    );
    const runtime = node ? keep(startRuntime(nodeOptions)) : undefined;
    // What still starts when the other fails must have started before it can be stopped.
    await Promise.allSettled([controlPlane, runtime]);
    const { stop: _, died: __, ...access } = await controlPlane;
    if (runtime) await startNode({ ...nodeOptions, runtime: await runtime, access });
    return {
      cluster: { ...access, network, stateDir, etcdUrl: etcdUrl(place), programs, cell },
      stop: (keepLogs) => end(keepLogs).then(throwFaults),
    };
  } catch (error) {
    const { logs, faults } = await end(true);
    // Why it did not start is what to report.
    for (const { message } of faults) console.error(`While it was removed: ${message}`);
    if (!(error instanceof ApisvcError) || error.fix === undefined) throw error;
    throw new ApisvcError(error.message, error.exitCode, { fix: error.fix.replaceAll(logDir, logs), cause: error.cause });
  }
}

interface Ended {
  /** Where the logs are, or were. */
  readonly logs: string;
  readonly faults: readonly Error[];
}

function throwFaults({ faults }: Ended): void {
  if (faults.length > 1)
    throw new AggregateError(faults, `the cluster was not ended in order: ${faults.map(({ message }) => message).join('; ')}`);
  if (faults[0]) throw faults[0];
}

const controlPlanePrograms = (programs: Programs): ControlPlanePrograms => ({
  etcd: program(programs, 'etcd'),
  kubeApiserver: program(programs, 'kube-apiserver'),
  kubeControllerManager: program(programs, 'kube-controller-manager'),
});

/** @returns where the logs are now */
async function saveLogs(logDir: string): Promise<string> {
  const kept = await mkdtemp(join(tmpdir(), 'apisvc-logs-'));
  await cp(logDir, kept, { recursive: true });
  console.error(`\nLogs of the cluster: ${kept}\n`);
  return kept;
}

/** Removes everything that killed runs left. */
export async function removeOrphans(): Promise<void> {
  // First the processes, which hold on to the rest: they end with the network.
  await removeOrphanedNetworks();
  await removeOrphanedCgroups();
  await removeMadeFolders();
  for (const path of await orphansIn(tmpdir())) if (await isOwnFolder(path)) await removeFolder(path);
  // Containers that share a cache may count their processes apart, so that another's half-filled store looks like an orphan.
  for (const path of await orphansIn(cacheRoot())) if (await isOlderThan(path, storeMs)) await removeFolder(path);
}

/** Far longer than it takes to fill a store. */
const storeMs = 3_600_000;

const orphansIn = async (parent: string): Promise<string[]> =>
  (await readdir(parent).catch(() => [])).filter(isOrphan).map((name) => join(parent, name));

const isOlderThan = (path: string, ms: number): Promise<boolean> =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs > ms,
    () => false,
  );

/** What a killed process had started, such as cp, may write for a moment yet. */
const removeFolder = (path: string): Promise<void> => rm(path, { recursive: true, force: true, maxRetries: 5 });
