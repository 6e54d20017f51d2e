import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from '../../errors.ts';
import type { KubernetesImitated } from '../shared/engine.ts';
import type { ControlPlanePrograms } from './components.ts';

/** Where the programs of a control plane are looked for. */
export interface AssetsWanted {
  /** A folder that must have them. */
  readonly assets?: string | undefined;
  /** KUBEBUILDER_ASSETS, and what says where caches are. */
  readonly env: NodeJS.ProcessEnv;
  /** Which version, of those that have been built here. */
  readonly kubernetes?: KubernetesImitated | undefined;
}

const names = { etcd: 'etcd', kubeApiserver: 'kube-apiserver', kubeControllerManager: 'kube-controller-manager' } as const;

/**
 * Finds the programs of a control plane: in the folder that is named, in that of the environment variable KUBEBUILDER_ASSETS (the convention of
 * sigs.k8s.io/controller-runtime/pkg/envtest), or among those that were built here for the tests.
 * @returns undefined when there are none
 * @throws UsageError when a folder that was named lacks some
 */
export function findPrograms({ assets, env, kubernetes }: AssetsWanted): ControlPlanePrograms | undefined {
  const named = assets ?? (kubernetes === undefined ? env.KUBEBUILDER_ASSETS : undefined);
  if (!named) return findBuilt(env, kubernetes);
  const found = programsIn([named]);
  if (found) return found;
  const missing = [names.etcd, names.kubeApiserver].filter((name) => !isProgram(join(named, name)));
  throw new UsageError(`${assets === undefined ? 'KUBEBUILDER_ASSETS' : '--assets'}: ${missing.join(' and ')} not in ${named}`, {
    fix: 'It must hold the programs etcd and kube-apiserver, as setup-envtest downloads them; --engine simulated needs none.',
  });
}

/** The folders there are called by version and content. The newest version has etcd for all. */
function findBuilt(env: NodeJS.ProcessEnv, kubernetes: KubernetesImitated | undefined): ControlPlanePrograms | undefined {
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
  // Another version's controllers may wait for what this kube-apiserver does not have.
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
