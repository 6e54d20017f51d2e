import type { ApisvcError } from '../../errors.ts';

/** The minor versions of Kubernetes that the simulation imitates. */
export const kubernetesImitated = ['1.37', '1.35'] as const;
export type KubernetesImitated = (typeof kubernetesImitated)[number];

/** The engines: real programs, or the simulation. */
export const engineKinds = ['real', 'simulated'] as const;

/** A running control plane. */
export interface Engine {
  readonly kind: (typeof engineKinds)[number];
  /** `kube-apiserver and etcd`, or `a simulation of Kubernetes 1.37`. */
  readonly name: string;
  /** e.g. https://127.0.0.1:41234 */
  readonly server: string;
  /** A kubeconfig file of a cluster administrator (group system:masters). */
  readonly kubeconfig: string;
  /** The address of this host at which the control plane reaches pods; all pods have it. */
  readonly podAddress: string;
  /** Resolves when a process of it ends by itself, with the reason; never otherwise. */
  readonly died: Promise<ApisvcError>;
  /** A second call does nothing. */
  stop(): Promise<void>;
}

/** The name of cluster, user and context in the kubeconfig of a sandbox: kubectl shows it. */
export const contextNames = { real: 'apisvc-sandbox', simulated: 'apisvc-sandbox-simulation' } as const satisfies Record<
  Engine['kind'],
  string
>;

/** The cluster IP of the Service `kubernetes`, the first of the range of both engines. */
export const kubernetesServiceAddress = '10.96.0.1';
