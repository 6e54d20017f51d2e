import { cells } from '../../../scripts/components.mjs';
import { UsageError } from '../../../src/errors.ts';

export type KubernetesVersion = '1.37' | '1.35';

/** A kind of cluster. The node tier runs the same specs on every cell of the matrix. */
export interface Cell {
  /**
   * The availability check of kube-apiserver 1.37 verifies the serving certificate; that of 1.35
   * does not.
   */
  readonly kubernetes: KubernetesVersion;
  /**
   * Whether kube-apiserver connects to the endpoints of a Service, or to its cluster IP
   * (--enable-aggregator-routing).
   */
  readonly aggregatorRouting: boolean;
}

/**
 * Parses the name of a cell, for example 1.37-routing.
 * @throws UsageError with all valid names if it is unknown
 */
export function cellOf(name: string | undefined): Cell {
  if (name === undefined || !cells.includes(name)) {
    throw new UsageError(`${name ? `unknown APISVC_CELL "${name}"` : 'APISVC_CELL is not set'}: use ${cells.join(', ')}`);
  }
  const [kubernetes, routing] = name.split('-');
  return { kubernetes: kubernetes as KubernetesVersion, aggregatorRouting: routing !== undefined };
}
