import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import type { KubernetesImitated } from '../shared/engine.ts';
import type { ControlPlanePrograms } from './components.ts';

/** Where to look for the programs of a control plane. */
export interface ProgramSearch {
  /** A folder that must have them. */
  readonly assets?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Selects one of the versions in the cache. */
  readonly kubernetes?: KubernetesImitated | undefined;
}

const names = { etcd: 'etcd', kubeApiserver: 'kube-apiserver', kubeControllerManager: 'kube-controller-manager' } as const;

/**
 * Finds the programs of a control plane: in `assets`, in KUBEBUILDER_ASSETS (the convention of
 * sigs.k8s.io/controller-runtime/pkg/envtest), or in the cache of the tests.
 * @returns undefined when there are none
 * @throws UsageError when `assets` or KUBEBUILDER_ASSETS lacks a program
 */
export function findPrograms({ assets, env, kubernetes }: ProgramSearch): ControlPlanePrograms | undefined {
  const folder = assets ?? (kubernetes === undefined ? env.KUBEBUILDER_ASSETS : undefined);
  if (!folder) return findCached(env, kubernetes);
  const found = programsIn([folder]);
  if (found) return found;
  const missing = [names.etcd, names.kubeApiserver].filter((name) => !isProgram(join(folder, name)));
  throw new UsageError(`${assets === undefined ? 'KUBEBUILDER_ASSETS' : '--assets'}: ${missing.join(' and ')} not found in ${folder}`, {
    fix: 'Set a directory that contains the etcd and kube-apiserver binaries, for example from setup-envtest, or use --engine simulated.',
  });
}

/** Folder names have the version and a hash. Only the newest version has etcd. */
function findCached(env: NodeJS.ProcessEnv, kubernetes: KubernetesImitated | undefined): ControlPlanePrograms | undefined {
  const cache = env.APISVC_COMPONENTS_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'apisvc', 'components');
  const folders = foldersIn(cache).filter((name) => name.startsWith('kubernetes-'));
  const wanted = folders.filter((name) => kubernetes === undefined || name.startsWith(`kubernetes-${kubernetes}-`));
  const all = folders.map((name) => join(cache, name));
  for (const name of wanted) {
    const found = programsIn([join(cache, name), ...all]);
    if (found?.kubeApiserver.startsWith(join(cache, name))) return found;
  }
  return undefined;
}

const foldersIn = (folder: string): string[] => {
  try {
    return readdirSync(folder).sort().reverse();
  } catch {
    return [];
  }
};

/** Each program from the first folder that has it. */
function programsIn(folders: readonly string[]): ControlPlanePrograms | undefined {
  const [first = ''] = folders;
  const find = (name: string): string | undefined => folders.map((folder) => join(folder, name)).find(isProgram);
  const etcd = find(names.etcd);
  const kubeApiserver = find(names.kubeApiserver);
  // Controllers of another version may wait for APIs that this kube-apiserver does not have.
  const kubeControllerManager = [join(first, names.kubeControllerManager)].find(isProgram);
  return etcd && kubeApiserver ? { etcd, kubeApiserver, kubeControllerManager } : undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
