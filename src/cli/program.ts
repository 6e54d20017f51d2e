import { basename, delimiter } from 'node:path';
import type { Command } from 'commander';
import { type ExitCode, exitMeanings, UsageError } from '../errors.ts';
import type { Run } from './action.ts';
import { addCommands } from './declarations.ts';
import { CommandWithFixes } from './flag-conflicts.ts';
import { version } from './version.ts';

/**
 * Makes the commander program: commands, flags and help.
 * @param done - called with the exit code of the command that ran
 */
export function makeProgram(interrupt: AbortSignal, done: (code: ExitCode) => void): Command {
  const program = new CommandWithFixes()
    .name(basename(process.argv[1] ?? '', '.exe') === 'kubectl-apisvc' ? 'kubectl apisvc' : 'apisvc')
    .description('Register an extension API server with the Kubernetes aggregation layer, with verified TLS, and diagnose APIServices.')
    .version(version, '--version', 'Print the version')
    .option('-q, --quiet', 'Print only the result and errors')
    .option('-v, --verbose', 'Show requests to kube-apiserver, and stack traces of errors')
    .option('--no-color', 'Disable colored output; the environment variable NO_COLOR has the same effect')
    .helpOption('-h, --help', 'Show this help')
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(run with --help for usage)')
    .exitOverride()
    .addHelpText('after', exitCodes);
  const run: Run =
    (load) =>
    async (...given) => {
      const command = given.at(-1) as Command;
      const { quiet = false, verbose = false, color = true } = program.opts();
      refuseEmpty(command);
      const [action, { openTerminal }, { reportFailedRun }, { readPipes }] = await Promise.all([
        load(),
        import('./terminal.ts'),
        import('./failed-run.ts'),
        import('../commands/standard-input.ts'),
      ]);
      const flags = command.opts();
      const invocation = { command: command.name(), flags };
      const terminal = openTerminal({ quiet, verbose, color, interrupt });
      const exitCode = await reportFailedRun(invocation, terminal, async (own) => {
        await readPipes(inputsOf(command), own);
        return action(flags as never, command.args, own);
      });
      done(exitCode);
    };
  addCommands(program, run);
  addHelp(program);
  return program;
}

/** The help command of commander shows the usage, and no error, for an unknown command. */
function addHelp(program: Command): void {
  program
    .command('help')
    .argument('[command]')
    .description('Show help for a command')
    .action(async (name?: string) => {
      if (name === undefined) program.help();
      const found = program.commands.find((command) => command.name() === name);
      if (found) found.help();
      const { nearest } = await import('../config/nearest.ts');
      const meant = nearest(
        name,
        program.commands.map((command) => command.name()),
      );
      program.error(`error: unknown command '${name}'${meant === undefined ? '' : `\n(Did you mean ${meant}?)`}`);
    });
}

const exitCodes = `
Exit codes:
${Object.entries(exitMeanings)
  .map(([code, meaning]) => `  ${code.padEnd(5)}${meaning}`)
  .join('\n')}`;

/**
 * The files that flags name, and the kubeconfigs: the shell may have put a pipe there. lint and
 * verify --from read their files themselves.
 */
function inputsOf(command: Command): string[] {
  const { kubeconfig = process.env.KUBECONFIG?.split(delimiter), caCert, caKey, caKeyPassphraseFile } = command.opts();
  const files = [readsKubeconfig(command) ? kubeconfig : undefined, caCert, caKey, caKeyPassphraseFile];
  return files.flatMap((given) => given ?? []);
}

/** With which flags a command does not read the kubeconfig, although it has `--kubeconfig`. */
const offline: Readonly<Record<string, (flags: ReturnType<Command['opts']>) => boolean>> = {
  init: ({ fromCluster }) => fromCluster === undefined,
  register: ({ dryRun }) => dryRun === 'client',
  verify: ({ from }) => from !== undefined,
};

/** A pipe that is not needed may have no writer, and the next command may need what it has. */
const readsKubeconfig = (command: Command): boolean =>
  command.options.some((option) => option.attributeName() === 'kubeconfig') && offline[command.name()]?.(command.opts()) !== true;

const notEmpty = [
  ...['directory', 'outputDir', 'assets', 'writeKubeconfig', 'caCert', 'caKey', 'caKeyPassphraseFile', 'caBundle'],
  ...['filename', 'from', 'save', 'keys', 'asUser', 'api', 'dns', 'ip'],
];

/**
 * An empty value usually comes from an unset shell variable. Node would take an empty path for the
 * current directory. A request as an empty user would be one as the user of the kubeconfig.
 */
function refuseEmpty(command: Command): void {
  const flag = command.options.find((option) => {
    const name = option.attributeName();
    return notEmpty.includes(name) && [command.opts()[name]].flat().includes('');
  });
  const empty = flag ? `${flag.long} has an empty value` : command.args.includes('') ? 'an argument is empty' : undefined;
  if (empty !== undefined) throw new UsageError(empty, { fix: 'Check that every shell variable in the command is set.' });
}
