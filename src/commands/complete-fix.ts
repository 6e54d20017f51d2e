import { PluginError } from '../cluster/faults.ts';
import { fixInDirectory } from '../config/project-commands.ts';
import { type ClusterSelection, clusterFlagsOf, withClusterFlags } from '../diagnosis/fix.ts';
import { ApisvcError } from '../errors.ts';

/** The flags of a command that the commands in its fixes repeat. */
export interface RepeatedFlags extends ClusterSelection {
  /** The project directory, of a command that has one. */
  readonly directory?: string | undefined;
}

/**
 * Adds the directory of the project and the flags that select the cluster to the commands in the
 * fix of an error, where they lack them. A second call changes nothing.
 * @returns the error
 */
export function completeFix<T>(error: T, flags: RepeatedFlags): T {
  // The fix of a credential plugin is text of the kubeconfig.
  if (error instanceof ApisvcError && !(error instanceof PluginError) && error.fix !== undefined) {
    error.fix = withClusterFlags(fixInDirectory(error.fix, flags.directory ?? '.'), clusterFlagsOf(flags));
  }
  return error;
}
