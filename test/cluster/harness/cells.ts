import { cells } from '../../../scripts/components.mjs';
import { UsageError } from '../../../src/errors.ts';

export type KubernetesVersion = '1.37' | '1.35';

/** What the same specs are run on, one after the other. */
export interface Cell {
  /** kube-apiserver 1.37 verifies a server's certificate when it asks whether it is available; 1.35 does not. */
  readonly kubernetes: KubernetesVersion;
  /** Whether kube-apiserver goes to the endpoints of a Service, or to its address and leaves the choice to kube-proxy. */
  readonly aggregatorRouting: boolean;
}

/** The cell of this name, e.g. 1.37-routing. @throws UsageError when there is none, with the names that there are */
export function cellOf(name: string | undefined): Cell {
  if (name === undefined || !cells.includes(name)) {
    throw new UsageError(`APISVC_CELL ${name ? `names no kind of cluster: ${name}` : 'is not set'}; there are ${cells.join(', ')}`);
  }
  const [kubernetes, routing] = name.split('-');
  return { kubernetes: kubernetes as KubernetesVersion, aggregatorRouting: routing !== undefined };
}
