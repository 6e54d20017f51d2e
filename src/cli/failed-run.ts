import { PluginError } from '../cluster/faults.ts';
import type { Terminal } from '../commands/terminal.ts';
import { fixInDirectory } from '../config/project-commands.ts';
import { clusterFlagsOf, withClusterFlags } from '../diagnosis/fix.ts';
import { ApisvcError, type ExitCode, InterruptedError } from '../errors.ts';
import { type FormatName, formatOf } from '../report/formats.ts';

interface Invocation {
  /** The name of the subcommand. */
  readonly command: string;
  /** Its flags, as far as commands have them. */
  readonly flags: FixFlags & {
    /** The value of `-o`. */
    readonly output?: FormatName;
  };
}

/** The flags that the commands in a fix repeat. */
interface FixFlags {
  readonly directory?: string;
  readonly kubeconfig?: string;
  /** A list where the flag may be repeated. */
  readonly context?: string | readonly string[];
}

/**
 * Runs a command. If it fails before it writes a result, and CI systems read its format, the result
 * is the error: a job that uploads the report even if the command fails needs a valid file.
 * @throws what the command throws
 */
export async function reportFailedRun(
  { command, flags }: Invocation,
  terminal: Terminal,
  run: (terminal: Terminal) => Promise<ExitCode>,
): Promise<ExitCode> {
  let written = false;
  const result: Terminal['result'] = (text) => {
    written = true;
    return terminal.result(text);
  };
  try {
    return await run({ ...terminal, result });
  } catch (error) {
    completeFix(error, flags);
    const failedRun = flags.output && formatOf(flags.output).failedRun;
    if (failedRun && !written && error instanceof ApisvcError && !(error instanceof InterruptedError)) {
      const { message, fix } = error;
      await terminal.result(await failedRun({ command, message, fix, at: new Date().toISOString() }));
    }
    throw error;
  }
}

/**
 * Adds the directory and the cluster of the command to the commands in the fix of its error, where
 * they lack them.
 */
function completeFix(error: unknown, { directory = '.', kubeconfig, context }: FixFlags): void {
  // The fix of a credential plugin is text of the kubeconfig.
  if (!(error instanceof ApisvcError) || error instanceof PluginError || error.fix === undefined) return;
  const [only, ...more] = context === undefined ? [] : [context].flat();
  const cluster = clusterFlagsOf({ kubeconfig, ...(more.length === 0 ? { context: only } : {}) });
  error.fix = fixInDirectory(withClusterFlags(error.fix, cluster), directory);
}
