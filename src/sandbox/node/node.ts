import { setMaxListeners } from 'node:events';
import { rm } from 'node:fs/promises';
import { arch, cpus, hostname, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { timestamp } from '../shared/timestamp.ts';
import { type Api, createApi, nodeName } from './api.ts';
import type { NodeContext } from './controller.ts';
import { runDeploymentController } from './deployments.ts';
import { keepEndpointSlices } from './endpoint-slices.ts';
import { keepPods } from './pods.ts';
import type { Json } from './registry.ts';
import type { NodeOptions } from './types.ts';

/**
 * Joins a cluster as its one node, called `apisvc-sandbox`, and does what is between a Deployment and a server that runs: it makes ReplicaSets, pods and EndpointSlices, runs in
 * the place of the pods' images what `programOf` gives, and says in their status how that goes. All of it through the Kubernetes API.
 * @returns ends it, with everything that it runs
 * @throws ClusterError when the node can't be registered
 */
export async function startNode(options: NodeOptions): Promise<{ stop(): Promise<void> }> {
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  // Everything that the node does listens to it; Node would take that for a leak.
  setMaxListeners(0, signal);
  const onError = (error: unknown): void =>
    options.onEvent({ kind: 'problem', message: error instanceof Error ? error.message : String(error) });
  const api = createApi(options.cluster, signal, onError);
  await registerNode(api, options, new Date());
  const context: NodeContext = { ...options, signal, api, onError };
  const work = Promise.all([runDeploymentController(context), keepPods(context), keepEndpointSlices(context)]);
  return {
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
  const there = (await api.create(node)) ?? node;
  // Admission holds new nodes back until a controller, which nobody runs here, has seen them ready (k8s.io/kubernetes/plugin/pkg/admission/nodetaint).
  if (there.spec?.taints) await api.patch(node, { spec: { taints: null } });
  await api.patch(node, { status: nodeStatus(podAddress, kubeletPort, now) }, 'status');
}

/** It has no heartbeat: nobody looks for one where no controller watches over nodes. */
function nodeStatus(address: string, kubeletPort: number | undefined, now: Date): Json {
  const size = { cpu: String(cpus().length), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: '110' };
  const time = timestamp(now);
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    message: 'apisvc sandbox runs programs of this machine in the place of pods',
  };
  return {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: hostname() },
    ],
    conditions: [{ ...ready, lastHeartbeatTime: time, lastTransitionTime: time }],
    ...(kubeletPort === undefined ? {} : { daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } } }),
    capacity: size,
    allocatable: size,
    nodeInfo: {
      architecture: architecture(),
      bootID: '',
      containerRuntimeVersion: nodeName,
      kernelVersion: release(),
      kubeProxyVersion: '',
      kubeletVersion: nodeName,
      machineID: '',
      operatingSystem: platform(),
      osImage: `${platform()} ${release()}`,
      systemUUID: '',
    },
  };
}

/** As Go calls it. */
const architecture = (): string => ({ x64: 'amd64', ia32: '386' })[arch() as string] ?? arch();
