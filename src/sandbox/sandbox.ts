import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from '../cluster/cluster.ts';
import { type ApisvcError, ClusterError, DeadlineError, UsageError } from '../errors.ts';
import { fileError } from '../project/files.ts';
import { createKubelet, type SandboxKubelet } from './node/kubelet.ts';
import { serveKubelet } from './node/kubelet-server.ts';
import { startNode } from './node/node.ts';
import type { NodeEvent, ProgramOf } from './node/types.ts';
import { findPrograms } from './real/assets.ts';
import type { ControlPlanePrograms } from './real/components.ts';
import { startRealEngine } from './real/engine.ts';
import type { ControlPlaneFiles } from './shared/credentials.ts';
import { type Engine, type KubernetesImitated, kubernetesImitated } from './shared/engine.ts';
import { startSimulation } from './simulated/simulation.ts';
import { makeStateDir } from './state.ts';

export { demoImage, demoProgram } from './demo/program.ts';
export { localProgram } from './node/local-program.ts';

export interface SandboxOptions {
  /** Without it the real one where its programs are. */
  readonly engine?: Engine['kind'] | undefined;
  /** Folder with the programs of the real engine. */
  readonly assets?: string | undefined;
  readonly kubernetes?: KubernetesImitated | undefined;
  /** Milliseconds for the start. */
  readonly timeout: number;
  readonly env: NodeJS.ProcessEnv;
  readonly programOf: ProgramOf;
  readonly onEvent: (event: NodeEvent) => void;
  /** Ends the start; a sandbox that runs is ended by `stop`. */
  readonly signal: AbortSignal;
}

/** A control plane and a node that run on this machine. */
export interface Sandbox {
  readonly engine: Pick<Engine, 'name' | 'server'>;
  /** A kubeconfig file whose user may do everything. */
  readonly kubeconfig: string;
  /** Resolves when a part of it ends by itself; never otherwise. */
  readonly died: Promise<ApisvcError>;
  /** Ends everything and removes what was written. */
  stop(): Promise<void>;
}

/**
 * Starts an engine and the node that both engines share.
 * @throws UsageError when the engine that is asked for can't run here; ClusterError and DeadlineError when it does not start; the signal's reason. Nothing is left then
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { programOf, onEvent, signal } = options;
  const programs = programsFor(options);
  const stateDir = await makeStateDir();
  const ends: (() => Promise<void> | void)[] = [() => rm(stateDir, { recursive: true, force: true })];
  // Whatever ends this process: it holds the keys of the control plane.
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
    const kubelet = createKubelet();
    const engine = await startEngine(programs, stateDir, kubelet, options);
    ends.push(() => engine.stop());
    const { files, podAddress, kubeconfig } = engine;
    const cluster = await connect({ kubeconfig }, {}, signal);
    ends.push(() => cluster.close());
    const served = await serveKubelet({ kubelet, files, address: podAddress });
    ends.push(() => served.stop());
    const node = await startNode({
      cluster,
      files,
      podAddress,
      kubeletPort: served.port,
      programOf,
      stateDir: join(stateDir, 'node'),
      pods: kubelet.pods,
      onEvent,
      // Not `signal`: what the node runs is to be stopped in order.
      signal: new AbortController().signal,
    });
    ends.push(() => node.stop());
    return { engine, kubeconfig, died: engine.died, stop };
  } catch (error) {
    await stop();
    signal.throwIfAborted();
    throw inPlainWords(error, stateDir);
  }
}

/** What the start of an engine names, its logs and its folder, is gone with it. */
function inPlainWords(error: unknown, stateDir: string): unknown {
  if (error instanceof DeadlineError) return new DeadlineError(error.message, { fix: 'Give it longer with --timeout.', cause: error });
  if (error instanceof ClusterError) return new ClusterError(error.message, { fix: '-v shows its last lines.', cause: error.cause });
  const full = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'].includes((error as NodeJS.ErrnoException)?.code ?? '');
  return full ? fileError('write', stateDir, error) : error;
}

async function startEngine(
  programs: ControlPlanePrograms | undefined,
  stateDir: string,
  kubelet: SandboxKubelet,
  { kubernetes, timeout, signal }: SandboxOptions,
): Promise<Engine & { readonly files: ControlPlaneFiles }> {
  const now = new Date();
  if (programs) return startRealEngine({ programs, stateDir, now, signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]) });
  return startSimulation({ stateDir, kubelet: kubelet.server, kubernetes: kubernetes ?? kubernetesImitated[0], now });
}

/** @returns those of the real engine; undefined for the simulation @throws UsageError when the real one is asked for and they are not there */
function programsFor({ engine, assets, env, kubernetes }: SandboxOptions): ControlPlanePrograms | undefined {
  if (engine === 'simulated') {
    if (assets !== undefined) throw new UsageError('--assets is for the real engine, and --engine says simulated');
    return undefined;
  }
  const programs = findPrograms({ assets, env, kubernetes });
  if (programs || engine === undefined) return programs;
  throw new UsageError(
    `the real engine needs etcd and kube-apiserver${kubernetes === undefined ? '' : ` of Kubernetes ${kubernetes}`}, and they were not found`,
    {
      fix: 'Name their folder with --assets or KUBEBUILDER_ASSETS; setup-envtest of sigs.k8s.io/controller-runtime downloads them. --engine simulated needs none.',
    },
  );
}
