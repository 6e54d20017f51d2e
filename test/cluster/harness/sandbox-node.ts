import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { connect } from '../../../src/cluster/cluster.ts';
import { createKubelet, serveKubelet } from '../../../src/sandbox/node/kubelet.ts';
import { startNode } from '../../../src/sandbox/node/node.ts';
import type { PodRegistry } from '../../../src/sandbox/node/registry.ts';
import type { NodeEvent } from '../../../src/sandbox/node/types.ts';
import { startRealEngine } from '../../../src/sandbox/real/engine.ts';
import { ownPrefix } from '../../../src/sandbox/shared/owner.ts';
import type { Program } from '../../../src/sandbox/shared/program.ts';
import { kubectl } from './commands.ts';
import { program } from './programs.ts';
import { cluster as harness } from './provided.ts';
import { runAllSteps } from './run-all-steps.ts';

/**
 * The node of the sandbox on a separate real control plane, without other controllers that do its
 * work.
 */
export interface SandboxNode {
  readonly engine: Awaited<ReturnType<typeof startRealEngine>>;
  /** The folder of a pod. */
  folderOf(uid: string): string;
  /** The failures that the node has reported so far. */
  problems(): readonly NodeEvent[];
  readonly events: readonly NodeEvent[];
  /** Runs kubectl against its control plane. */
  kubectl(args: readonly string[], input?: object): ReturnType<typeof kubectl>;
  /** Runs kubectl, which must succeed. @returns its standard output */
  kubectlOk(args: readonly string[], input?: object): Promise<string>;
  // biome-ignore lint/suspicious/noExplicitAny: objects as kubectl prints them.
  list(namespace: string, kinds: string): Promise<any[]>;
  stop(): Promise<void>;
}

/** Starts the control plane and its node. @param programs - the program to run for each image */
export async function startSandboxNode(programs: ReadonlyMap<string, Program>): Promise<SandboxNode> {
  const stateDir = await mkdtemp(join(tmpdir(), `${ownPrefix()}node-`));
  const ends: (() => Promise<unknown>)[] = [() => rm(stateDir, { recursive: true, force: true })];
  const stop = async (): Promise<void> => {
    const [error] = await runAllSteps(...ends.splice(0).reverse());
    if (error) throw error;
  };
  try {
    const { signal } = new AbortController();
    const engine = await startRealEngine({
      programs: {
        etcd: program(harness.programs, 'etcd'),
        kubeApiserver: program(harness.programs, 'kube-apiserver'),
        kubeControllerManager: program(harness.programs, 'kube-controller-manager'),
      },
      stateDir,
      now: new Date(),
      signal: AbortSignal.timeout(120_000),
    });
    ends.push(() => engine.stop());
    const cluster = await connect({ kubeconfig: engine.kubeconfig }, {}, signal);
    ends.push(async () => cluster.close());
    const pods: PodRegistry = new Map();
    const { files, podAddress } = engine;
    const served = await serveKubelet(createKubelet(pods), files, podAddress);
    ends.push(() => served.stop());
    const events: NodeEvent[] = [];
    const node = await startNode({
      cluster,
      files,
      podAddress,
      kubeletPort: served.port,
      programOf: (_, { image }) => programs.get(image),
      stateDir: join(stateDir, 'node'),
      pods,
      onEvent: (event) => events.push(event),
    });
    ends.push(() => node.stop());
    const run: SandboxNode['kubectl'] = (args, input) =>
      kubectl(args, { kubeconfig: engine.kubeconfig, input: input ? JSON.stringify(input) : '' });
    const kubectlOk: SandboxNode['kubectlOk'] = async (args, input) => {
      const { exitCode, stdout, stderr } = await run(args, input);
      expect({ args, exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ args, exitCode: 0, stderr: '' });
      return stdout;
    };
    return {
      engine,
      folderOf: (uid) => join(stateDir, 'node', 'pods', uid),
      problems: () => events.filter(({ kind }) => kind === 'problem'),
      events,
      kubectl: run,
      kubectlOk,
      list: async (namespace, kinds) => JSON.parse(await kubectlOk(['get', kinds, '-n', namespace, '-o', 'json'])).items,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
