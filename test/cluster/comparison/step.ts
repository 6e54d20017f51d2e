import type { KubernetesVersion } from '../harness/cells.ts';
import type { World } from './world.ts';

/** A place where the simulation differs from kube-apiserver. */
export interface Difference {
  /** Why that is acceptable. */
  readonly reason: string;
  /**
   * Where in the result, the names and indexes one after the other with dots between them; a name
   * with dots in brackets.
   */
  readonly at: string;
  /** The values after normalisation; undefined for none. */
  readonly real: unknown;
  readonly simulated: unknown;
  /** On this version only. */
  readonly on?: KubernetesVersion;
}

/** Requests to a control plane, and their results. */
export interface Step {
  /** Also the name of its objects: letters, digits and dashes. */
  readonly name: string;
  /** @returns the result that is compared, as JSON */
  run(world: World): Promise<unknown>;
  readonly differs?: readonly Difference[];
}
