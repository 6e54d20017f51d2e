import { findComponents } from '../../../scripts/components.mjs';
import { UsageError } from '../../../src/errors.ts';
import type { KubernetesVersion } from './cells.ts';

export interface Wanted {
  readonly kubernetes: KubernetesVersion;
  /** Also those of a node, and those that run in its pods. */
  readonly node: boolean;
}

/** Paths by program. */
export type Programs = Readonly<Record<string, string>>;

const newest = 'kubernetes-1.37';

/**
 * Paths of the programs that the cluster tests run, by name. Those that both versions of Kubernetes have are of the wanted one; etcd,
 * kubectl and the extension servers are of the newest.
 * @throws UsageError that says how to get those that are missing
 */
export function requirePrograms({ kubernetes, node }: Wanted): Programs {
  const wanted = `kubernetes-${kubernetes}`;
  const modules = [
    newest,
    'custom-metrics',
    'aggregator-front',
    'konnectivity',
    'kubectl-1.32',
    'metrics-server',
    ...(node ? ['any-api', 'pause'] : []),
    wanted,
  ];
  const { programs, missing } = findComponents();
  const lacking = missing.filter(({ module }) => modules.includes(module));
  if (lacking.length === 0) return Object.assign({}, ...modules.map((module) => programs[module]));
  const names = lacking.map(({ name, module }) => `${name} (${module})`).join(', ');
  throw new UsageError(`programs of the cluster tests are not built: ${names}`, { fix: 'node scripts/build-components.mjs' });
}

/** @throws Error when there is no such program */
export function program(programs: Programs, name: string): string {
  const path = programs[name];
  if (path === undefined) throw new Error(`${name} is not a component of the cluster tests`);
  return path;
}
