import type { ContainerLog } from './log.ts';

/** A Kubernetes object, or a part of one. */
// biome-ignore lint/suspicious/noExplicitAny: JSON.
export type Json = any;

/** The current state of a container. */
export type ContainerState =
  | { readonly kind: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly kind: 'running'; readonly startedAt: Date; readonly log: ContainerLog };

/** A container of a pod on the node; the node updates it. */
export interface ContainerOnNode {
  readonly name: string;
  readonly image: string;
  /** Whether the sandbox has a program for it. */
  readonly runs: boolean;
  readonly declaredPort: number | undefined;
  /** The port of this host where it listens for `declaredPort`. */
  port: number | undefined;
  state: ContainerState;
  ready: boolean;
  restarts: number;
  /** The last run that ended. */
  last: { readonly exitCode: number; readonly startedAt: Date; readonly finishedAt: Date; readonly log: ContainerLog } | undefined;
}

/** A pod on the node. */
export interface PodOnNode {
  /** The pod as it was when the node started it. */
  readonly object: Json;
  readonly containers: readonly ContainerOnNode[];
}

/** The pods on the node by uid: the node writes it, the kubelet reads it. */
export type PodRegistry = Map<string, PodOnNode>;

/** Of pods with the same name, the newest: the others are terminating. */
export const findPod = (registry: PodRegistry, namespace: string, name: string): PodOnNode | undefined =>
  [...registry.values()].findLast(({ object: { metadata } }) => metadata.namespace === namespace && metadata.name === name);

/** The port of this host for a port of the pod. */
export const localPort = ({ containers }: PodOnNode, port: number): number =>
  containers.find((container) => container.declaredPort === port)?.port ?? port;
