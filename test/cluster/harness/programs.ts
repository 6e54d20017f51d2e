import { findComponents } from '../../../scripts/components.mjs';
import { UsageError } from '../../../src/errors.ts';
import type { KubernetesVersion } from './cells.ts';

export interface ProgramSelection {
  readonly kubernetes: KubernetesVersion;
  /** Whether to include the programs of a node and of its pods. */
  readonly node: boolean;
}

/** Paths by program name. */
export type Programs = Readonly<Record<string, string>>;

const newest = 'kubernetes-1.37';

/**
 * Finds the programs that the cluster tests run. etcd, kubectl and the extension servers come from
 * the newest Kubernetes, all other programs from the selected version.
 * @returns paths by program name
 * @throws UsageError if programs are missing; the fix is the command that builds them
 */
export function requirePrograms({ kubernetes, node }: ProgramSelection): Programs {
  const wanted = `kubernetes-${kubernetes}`;
  const modules = [
    newest,
    'custom-metrics',
    'aggregator-front',
    'grafana-schema',
    'konnectivity',
    'kubectl-1.32',
    'load',
    'metrics-server',
    'prometheus',
    'prometheus-operator',
    ...(node
      ? ['any-api', 'argocd-engine', 'cert-manager', 'cert-manager-1.11', 'dns-webhook', 'flux-apply', 'helm-3', 'helm-4', 'pause']
      : []),
    wanted,
  ];
  const { programs, missing } = findComponents();
  const notBuilt = missing.filter(({ module }) => modules.includes(module));
  if (notBuilt.length === 0) return Object.assign({}, ...modules.map((module) => programs[module]));
  const names = notBuilt.map(({ name, module }) => `${name} (${module})`).join(', ');
  throw new UsageError(`programs for the cluster tests not found: ${names}`, { fix: 'node scripts/build-components.mjs' });
}

/** Looks up the path of a program. @throws Error if the name is unknown */
export function program(programs: Programs, name: string): string {
  const path = programs[name];
  if (path === undefined) throw new Error(`${name} is not a component of the cluster tests`);
  return path;
}
