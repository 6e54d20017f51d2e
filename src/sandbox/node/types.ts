import type { Cluster } from '../../cluster/cluster.ts';
import type { ControlPlaneFiles } from '../shared/credentials.ts';
import type { Program } from '../shared/program.ts';
import type { Json, PodRegistry } from './registry.ts';

/** Selects the program for a container; undefined when the sandbox has none for its image. */
export type ProgramOf = (pod: Json, container: { readonly name: string; readonly image: string }) => Program | undefined;

/** What happens on the node. */
export type NodeEvent =
  | { readonly kind: 'started'; readonly container: string; readonly port: number | undefined }
  | { readonly kind: 'ready'; readonly container: string }
  | { readonly kind: 'ended'; readonly container: string; readonly exitCode: number; readonly againInMs: number }
  | { readonly kind: 'log'; readonly container: string; readonly line: string }
  /** An operation of the node failed and is retried. */
  | { readonly kind: 'problem'; readonly message: string };

export interface NodeOptions {
  /** A cluster administrator's connection. */
  readonly cluster: Cluster;
  /** The CA for the kubeconfigs of pods. */
  readonly files: Pick<ControlPlaneFiles, 'ca'>;
  /** The address of this host at which the control plane reaches every pod. */
  readonly podAddress: string;
  /** The port of `serveKubelet`. */
  readonly kubeletPort: number;
  readonly programOf: ProgramOf;
  /** A folder for the volumes of pods. The node creates it and removes the volumes. */
  readonly stateDir: string;
  /** Shared with the kubelet. */
  readonly pods: PodRegistry;
  readonly onEvent: (event: NodeEvent) => void;
}
