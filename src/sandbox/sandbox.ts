import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { connect } from '../cluster/cluster.ts';
import { isFull } from '../config/file-errors.ts';
import { ApisvcError, ClusterError, DeadlineError, UsageError } from '../errors.ts';
import { createKubelet, serveKubelet } from './node/kubelet.ts';
import { startNode } from './node/node.ts';
import type { PodRegistry } from './node/registry.ts';
import type { NodeEvent, ProgramOf } from './node/types.ts';
import { findPrograms } from './real/assets.ts';
import type { ControlPlanePrograms } from './real/components.ts';
import { startRealEngine } from './real/engine.ts';
import type { ControlPlaneFiles } from './shared/credentials.ts';
import { type Engine, type KubernetesImitated, kubernetesImitated } from './shared/engine.ts';
import { fullDisk } from './shared/file-faults.ts';
import { startSimulation } from './simulated/simulation.ts';
import { makeStateDir } from './state.ts';

export { demoImage, demoProgram } from './demo/program.ts';
export { localProgram } from './node/local-program.ts';

export interface SandboxOptions {
  /** Default: the real engine if its programs are found, otherwise the simulation. */
  readonly engine?: Engine['kind'] | undefined;
  /** The folder with the programs of the real engine. */
  readonly assets?: string | undefined;
  /** The version to simulate. */
  readonly kubernetes?: KubernetesImitated | undefined;
  /** The limit of the start in milliseconds. */
  readonly timeout: number;
  readonly env: NodeJS.ProcessEnv;
  readonly programOf: ProgramOf;
  readonly onEvent: (event: NodeEvent) => void;
  /** Ends the start. `stop` ends a running sandbox. */
  readonly signal: AbortSignal;
}

/** A control plane and a node on this host. */
export interface Sandbox {
  readonly engine: Pick<Engine, 'name' | 'server'>;
  /** A kubeconfig file of a cluster administrator. */
  readonly kubeconfig: string;
  /** Resolves when a process of it ends by itself or its disk is full; never otherwise. */
  readonly died: Promise<ApisvcError>;
  /** Ends everything and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts an engine and the node. After an error nothing is left running.
 * @throws UsageError when the engine cannot run here; ClusterError and DeadlineError when it does
 * not start; the reason of the signal
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { programOf, onEvent, signal } = options;
  const programs = programsFor(options);
  const stateDir = await makeStateDir();
  const ends: (() => Promise<void> | void)[] = [() => rm(stateDir, { recursive: true, force: true })];
  // The folder has private keys, so it must not outlive this process.
  const removeAtExit = (): void => rmSync(stateDir, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  const stop = async (): Promise<void> => {
    const faults: unknown[] = [];
    for (let end = ends.pop(); end; end = ends.pop()) {
      try {
        await end();
      } catch (error) {
        faults.push(error);
      }
    }
    process.off('exit', removeAtExit);
    if (faults.length > 0) throw faults[0];
  };
  try {
    const pods: PodRegistry = new Map();
    const kubelet = createKubelet(pods);
    const engine = await startEngine(programs, stateDir, kubelet, options);
    ends.push(() => engine.stop());
    const { files, podAddress, kubeconfig } = engine;
    const cluster = await connect({ kubeconfig }, {}, signal);
    ends.push(() => cluster.close());
    const served = await serveKubelet(kubelet, files, podAddress);
    ends.push(() => served.stop());
    const node = await startNode({
      cluster,
      files,
      podAddress,
      kubeletPort: served.port,
      programOf,
      stateDir: join(stateDir, 'node'),
      pods,
      onEvent,
    });
    ends.push(() => node.stop());
    const died = Promise.race([engine.died.then(withoutLogs), node.failed]);
    return { engine, kubeconfig, died, stop };
  } catch (error) {
    await stop();
    signal.throwIfAborted();
    if (isFull(error)) throw fullDisk(stateDir, error);
    throw error instanceof ApisvcError ? withoutLogs(error) : error;
  }
}

/** Replaces a fix that names a log, because the logs are removed. */
function withoutLogs(error: ApisvcError): ApisvcError {
  if (error instanceof DeadlineError) return new DeadlineError(error.message, { fix: 'Set a longer --timeout.', cause: error });
  // Only an error with lines of a log has a cause.
  if (!(error instanceof ClusterError) || error.cause === undefined) return error;
  return new ClusterError(error.message, { fix: 'Run the same command with -v to see the last lines of the log.', cause: error.cause });
}

async function startEngine(
  programs: ControlPlanePrograms | undefined,
  stateDir: string,
  kubelet: RequestListener,
  { kubernetes, timeout, signal }: SandboxOptions,
): Promise<Engine & { readonly files: ControlPlaneFiles }> {
  const now = new Date();
  if (programs) return startRealEngine({ programs, stateDir, now, signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]) });
  return startSimulation({ stateDir, kubelet, kubernetes: kubernetes ?? kubernetesImitated[0], now });
}

/** @returns undefined for the simulation. @throws UsageError for --engine real without programs */
function programsFor({ engine, assets, env, kubernetes }: SandboxOptions): ControlPlanePrograms | undefined {
  const fix = 'Remove one of the two flags.';
  if (engine === 'simulated' && assets !== undefined) throw new UsageError('--assets cannot be used with --engine simulated', { fix });
  if (engine === 'real' && kubernetes !== undefined) throw new UsageError('--kubernetes cannot be used with --engine real', { fix });
  if (engine === 'simulated' || kubernetes !== undefined) return undefined;
  const programs = findPrograms({ assets, env });
  if (programs || engine === undefined) return programs;
  throw new UsageError('cannot start the real engine: etcd and kube-apiserver not found', {
    fix: 'Set --assets or KUBEBUILDER_ASSETS to a directory that contains both binaries, for example from setup-envtest, or use --engine simulated.',
  });
}
