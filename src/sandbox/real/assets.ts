import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { reading } from '../../config/file-errors.ts';
import { shellWord } from '../../config/shell-word.ts';
import { UsageError } from '../../errors.ts';
import { isExecutable } from '../shared/command.ts';
import type { ControlPlanePrograms } from './components.ts';

/** Where to look for the programs of a control plane. */
export interface ProgramSearch {
  /** A folder that must have them. */
  readonly assets?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Finds the programs of a control plane: in `assets`, or in KUBEBUILDER_ASSETS (the convention of
 * sigs.k8s.io/controller-runtime/pkg/envtest).
 * @returns undefined when neither is set
 * @throws UsageError when the folder cannot be read or lacks etcd or kube-apiserver
 */
export function findPrograms({ assets, env }: ProgramSearch): ControlPlanePrograms | undefined {
  const folder = assets ?? env.KUBEBUILDER_ASSETS;
  if (!folder) return undefined;
  const unusable = ['etcd', 'kube-apiserver'].filter((name) => !isExecutable(join(folder, name)));
  if (unusable.length > 0) throw faultOf(folder, assets === undefined ? 'KUBEBUILDER_ASSETS' : '--assets', unusable);
  const controllerManager = join(folder, 'kube-controller-manager');
  return {
    etcd: join(folder, 'etcd'),
    kubeApiserver: join(folder, 'kube-apiserver'),
    kubeControllerManager: isExecutable(controllerManager) ? controllerManager : undefined,
  };
}

/** Why a folder does not have the programs. @param source what names it */
function faultOf(folder: string, source: string, unusable: readonly string[]): UsageError {
  const present = reading(folder, () => readdirSync(folder));
  const missing = unusable.filter((name) => !present.includes(name));
  if (missing.length > 0) {
    return new UsageError(`${source}: ${missing.join(' and ')} not found in ${folder}`, {
      fix: 'Set a directory that contains the etcd and kube-apiserver binaries, for example from setup-envtest, or use --engine simulated.',
    });
  }
  const paths = [folder, ...unusable.map((name) => join(folder, name))].map(shellWord);
  return new UsageError(`${source}: permission denied to run ${unusable.join(' and ')} in ${folder}`, {
    fix: `chmod a+x ${paths.join(' ')}`,
  });
}
