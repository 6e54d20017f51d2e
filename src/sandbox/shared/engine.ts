import type { ApisvcError } from '../../errors.ts';

/** The minor versions of Kubernetes whose behaviour the simulation knows. */
export const kubernetesImitated = ['1.37', '1.35'] as const;
export type KubernetesImitated = (typeof kubernetesImitated)[number];

/** A control plane of one's own, whichever engine runs it. */
export interface Engine {
  readonly kind: 'real' | 'simulated';
  /** What it is, for people: `kube-apiserver and etcd`, or `a simulation of Kubernetes 1.37`. */
  readonly name: string;
  /** e.g. https://127.0.0.1:41234 */
  readonly server: string;
  /** A kubeconfig file whose user may do everything (group system:masters). */
  readonly kubeconfig: string;
  /**
   * The address at which the control plane reaches what listens on every address of this machine;
   * that of every pod.
   */
  readonly podAddress: string;
  /** Resolves when a process of it ends by itself, with what happened; never otherwise. */
  readonly died: Promise<ApisvcError>;
  /** Ends it; a second call does nothing. */
  stop(): Promise<void>;
}

/**
 * What cluster, user and context are called in the kubeconfig of a sandbox, by engine: kubectl
 * shows it.
 */
export const contextNames = { real: 'apisvc-sandbox', simulated: 'apisvc-sandbox-simulation' } as const satisfies Record<
  Engine['kind'],
  string
>;

/** The address of the Service `kubernetes`: the first of the range that both engines use for Services. */
export const kubernetesServiceAddress = '10.96.0.1';
