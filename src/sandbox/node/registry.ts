import type { ContainerLog } from './log.ts';

/** JSON of a Kubernetes object as the server has it, or a part of one. */
// biome-ignore lint/suspicious/noExplicitAny: JSON.
export type Json = any;

/** How a container ended. */
export interface ContainerEnd {
  readonly exitCode: number;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** What a container of a pod does just now. */
export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly kind: 'running'; readonly startedAt: Date; readonly log: ContainerLog };

/** A container of a pod on the node; the node changes it as things happen. */
export interface ContainerOnNode {
  readonly name: string;
  readonly image: string;
  /** Whether the sandbox has something to run in its place. */
  readonly runs: boolean;
  readonly declaredPort: number | undefined;
  /** Port of this machine where it listens in the place of `declaredPort`. */
  port: number | undefined;
  state: ContainerState;
  ready: boolean;
  restarts: number;
  last: (ContainerEnd & { readonly log: ContainerLog }) | undefined;
}

/** A pod on the node. */
export interface PodOnNode {
  /** As the server had it when it came here. */
  readonly object: Json;
  readonly containers: readonly ContainerOnNode[];
}

/** What runs on the node, by uid: the node fills it, the kubelet looks into it. */
export type PodRegistry = Map<string, PodOnNode>;

/** Of pods that share a name, of which all but one are on their way out, the newest. */
export const findPod = (registry: PodRegistry, namespace: string, name: string): PodOnNode | undefined =>
  [...registry.values()].findLast(({ object: { metadata } }) => metadata.namespace === namespace && metadata.name === name);

/** The port of this host on which the container listens that declares this port of the pod. */
export const localPort = ({ containers }: PodOnNode, port: number): number =>
  containers.find((container) => container.declaredPort === port)?.port ?? port;
