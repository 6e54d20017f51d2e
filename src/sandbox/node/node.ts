import { setMaxListeners } from 'node:events';
import { rm } from 'node:fs/promises';
import { arch, hostname, platform } from 'node:os';
import { join } from 'node:path';
import { isFull } from '../../config/file-errors.ts';
import type { ApisvcError } from '../../errors.ts';
import { fullDisk, plainMessage } from '../shared/file-faults.ts';
import { timestamp } from '../shared/timestamp.ts';
import { type Api, createApi, nodeName } from './api.ts';
import type { NodeContext } from './controller.ts';
import { runDeploymentController } from './deployments.ts';
import { runEndpointSliceController } from './endpoint-slices.ts';
import { runPods } from './pods.ts';
import type { Json } from './registry.ts';
import type { NodeOptions } from './types.ts';

export interface RunningNode {
  /** Resolves when the disk is full, because no pod can start then; never otherwise. */
  readonly failed: Promise<ApisvcError>;
  /** Ends the node and everything that it runs. */
  stop(): Promise<void>;
}

/**
 * Joins a cluster as its only node, `apisvc-sandbox`, and runs the controllers between a Deployment
 * and a running server. Pods run the program that `programOf` selects instead of their image.
 * @throws ClusterError when the node cannot be registered
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const ending = new AbortController();
  const { signal } = ending;
  // Node reports many listeners as a leak, but every part of the node listens.
  setMaxListeners(0, signal);
  let fail = (_: ApisvcError): void => {};
  const failed = new Promise<ApisvcError>((resolve) => {
    fail = resolve;
  });
  const onError = (error: unknown): void => {
    if (isFull(error)) fail(fullDisk(options.stateDir, error));
    else options.onEvent({ kind: 'problem', message: plainMessage(error) });
  };
  const api = createApi(options.cluster, signal, onError);
  await registerNode(api, options, new Date());
  const context: NodeContext = { ...options, signal, api, onError };
  const work = Promise.all([runDeploymentController(context), runPods(context), runEndpointSliceController(context)]);
  return {
    failed,
    stop: async () => {
      ending.abort();
      await work;
      await rm(join(options.stateDir, 'pods'), { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function registerNode(api: Api, { podAddress, kubeletPort }: NodeOptions, now: Date): Promise<void> {
  const labels = { 'kubernetes.io/hostname': nodeName, 'kubernetes.io/os': platform(), 'kubernetes.io/arch': architecture() };
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName, labels }, spec: {} };
  const created = (await api.create(node)) ?? node;
  // Admission taints new nodes (k8s.io/kubernetes/plugin/pkg/admission/nodetaint), and no
  // controller of the sandbox removes the taint.
  if (created.spec?.taints) await api.patch(node, { spec: { taints: null } });
  await api.patch(node, { status: nodeStatus(podAddress, kubeletPort, now) }, 'status');
}

/** The node sends no heartbeat: the sandbox has no controller that expects one. */
function nodeStatus(address: string, kubeletPort: number, now: Date): Json {
  const time = timestamp(now);
  const message = 'apisvc sandbox runs local programs instead of container images';
  return {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: hostname() },
    ],
    conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message, lastHeartbeatTime: time, lastTransitionTime: time }],
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    nodeInfo: { architecture: architecture(), kubeletVersion: nodeName, operatingSystem: platform() },
  };
}

/** The architecture of this host as Go names it. */
const architecture = (): string => ({ x64: 'amd64', ia32: '386' })[arch() as string] ?? arch();
