import { basename } from 'node:path';
import { Command } from 'commander';
import { type ExitCode, UsageError } from '../errors.ts';
import type { Run } from './action.ts';
import { addCommands } from './commands.ts';
import { version } from './version.ts';

/**
 * The commander program: names, flags and help; no behaviour.
 * @param done is told the exit code of the command that ran
 */
export function makeProgram(interrupt: AbortSignal, done: (code: ExitCode) => void): Command {
  const program = new Command()
    .name(basename(process.argv[1] ?? '') === 'kubectl-apisvc' ? 'kubectl apisvc' : 'apisvc')
    .description("Put an API server behind Kubernetes' aggregation layer, with TLS that verifies, and find out why it broke.")
    .version(version, '--version', 'print the version')
    .option('-q, --quiet', 'no progress, only the result and errors')
    .option('-v, --verbose', 'show where errors come from, with stack traces')
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows the options)')
    .exitOverride()
    .addHelpText('after', exitCodes);
  const run: Run =
    (load) =>
    async (...given) => {
      const command = given.at(-1) as Command;
      const { quiet = false, color = true } = program.opts();
      refuseEmpty(command);
      const [action, { openTerminal }] = await Promise.all([load(), import('./terminal.ts')]);
      done(await action(command.opts() as never, command.args, openTerminal({ quiet, color, interrupt })));
    };
  addCommands(program, run);
  return program;
}

const exitCodes = `
Exit codes:
  0    Success: the change is done, or the APIs are healthy
  1    Findings, drift or a refused change
  2    Wrong usage or configuration
  3    The cluster is not reachable, or access is denied
  70   Internal error: a bug in apisvc
  124  The deadline passed
  130  Interrupted by SIGINT (143: terminated by SIGTERM)`;

/** An empty path is a shell variable that was not set; it would mean the current directory. */
function refuseEmpty(command: Command): void {
  const { directory, outputDir, assets, writeKubeconfig } = command.opts();
  if ([...command.args, directory, outputDir, assets, writeKubeconfig].includes('')) {
    throw new UsageError('an argument is empty', { fix: 'A variable in the command may not be set.' });
  }
}
