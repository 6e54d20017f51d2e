import type { Cluster } from '../../cluster/cluster.ts';
import type { ControlPlaneFiles } from '../shared/credentials.ts';
import type { Program } from '../shared/program.ts';
import type { Json, PodRegistry } from './registry.ts';

/** What can run here: undefined for an image that the sandbox does not have. */
export type ProgramOf = (pod: Json, container: { readonly name: string; readonly image: string }) => Program | undefined;

/** What happens on the node, for whoever looks on. */
export type NodeEvent =
  | {
      readonly kind: 'started' | 'ready';
      readonly namespace: string;
      readonly pod: string;
      readonly container: string;
      readonly port: number | undefined;
    }
  | {
      readonly kind: 'ended';
      readonly namespace: string;
      readonly pod: string;
      readonly container: string;
      readonly exitCode: number;
      readonly againInMs: number;
    }
  | { readonly kind: 'log'; readonly namespace: string; readonly pod: string; readonly container: string; readonly line: string }
  /** The node could not do something, and tries again. */
  | { readonly kind: 'problem'; readonly message: string };

export interface NodeOptions {
  /** As somebody who may do everything. */
  readonly cluster: Cluster;
  /** The CA of the cluster, for the kubeconfigs of pods. */
  readonly files: Pick<ControlPlaneFiles, 'ca'>;
  /** The address of every pod: one of this machine, at which the control plane reaches it. */
  readonly podAddress: string;
  /** Where `serveKubelet` listens; without it kube-apiserver finds no kubelet. */
  readonly kubeletPort?: number | undefined;
  readonly programOf: ProgramOf;
  /** A folder of the caller's; the node makes it where need be, keeps there what pods mount, and removes that in the end. */
  readonly stateDir: string;
  /** What kube-apiserver asks about the pods of this node. */
  readonly pods: PodRegistry;
  readonly onEvent: (event: NodeEvent) => void;
  /** Ends the node like `stop`, but does not wait for its containers. */
  readonly signal: AbortSignal;
}
