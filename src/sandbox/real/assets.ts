import { accessSync, constants, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { reading } from '../../config/file-errors.ts';
import { shellWord } from '../../config/shell-word.ts';
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
 * @throws UsageError when `assets` or KUBEBUILDER_ASSETS cannot be read or lacks a program
 */
export function findPrograms({ assets, env, kubernetes }: ProgramSearch): ControlPlanePrograms | undefined {
  const folder = assets ?? (kubernetes === undefined ? env.KUBEBUILDER_ASSETS : undefined);
  if (!folder) return findCached(env, kubernetes);
  const found = programsIn([folder]);
  if (found) return found;
  throw unusable(folder, assets === undefined ? 'KUBEBUILDER_ASSETS' : '--assets');
}

/** Why a folder does not have the programs. @param source what names it */
function unusable(folder: string, source: string): UsageError {
  const present = reading(folder, () => readdirSync(folder));
  const wanted = [names.etcd, names.kubeApiserver].filter((name) => !isProgram(join(folder, name)));
  const missing = wanted.filter((name) => !present.includes(name));
  if (missing.length > 0) {
    return new UsageError(`${source}: ${missing.join(' and ')} not found in ${folder}`, {
      fix: 'Set a directory that contains the etcd and kube-apiserver binaries, for example from setup-envtest, or use --engine simulated.',
    });
  }
  const paths = wanted.map((name) => shellWord(join(folder, name)));
  return new UsageError(`${source}: permission denied to run ${wanted.join(' and ')} in ${folder}`, {
    fix: `chmod a+x ${[shellWord(folder), ...paths].join(' ')}`,
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
