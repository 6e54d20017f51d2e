import type { KubernetesVersion } from '../harness/cells.ts';
import type { World } from './world.ts';

/** A place where the simulation is not as the real one. */
export interface Difference {
  /** Why it may be so. */
  readonly reason: string;
  /**
   * Where in the result, the names and indexes one after the other with dots between them; a name
   * with dots in brackets.
   */
  readonly at: string;
  /** What is there on each side, after normalisation; undefined for nothing. */
  readonly real: unknown;
  readonly simulated: unknown;
  /** On this version alone. */
  readonly on?: KubernetesVersion;
}

/** Something that is done to a control plane, and what comes of it. */
export interface Step {
  /** Also of what it makes: letters, digits and dashes. */
  readonly name: string;
  /** @returns what is compared, as JSON */
  run(world: World): Promise<unknown>;
  readonly differs?: readonly Difference[];
}
