import { Command, CommanderError, Option } from 'commander';
import { ApisvcError, Exit } from '../../../../src/errors.ts';
import { requireNamespaces } from '../../../../src/sandbox/real/network.ts';
import { down } from './down.ts';
import { status } from './status.ts';
import { up } from './up.ts';

function makeProgram(): Command {
  const program = new Command('npm run testbed --')
    .description('Run the Kubernetes cluster of the tests, with one node, on this machine. Needs Linux and root.')
    .helpCommand(false)
    .hook('preAction', requireNamespaces)
    .exitOverride();
  program
    .command('up')
    .description('Start a cluster in the background, wait until it is ready, and print the command that points kubectl to it')
    .addOption(new Option('--kubernetes <version>', 'Kubernetes version').choices(['1.37', '1.35']).default('1.37'))
    .option('--aggregator-routing', 'Run kube-apiserver with --enable-aggregator-routing')
    .addHelpText('after', '\nExample:\n  eval "$(npm run --silent testbed -- up)" && kubectl get nodes')
    .action(({ kubernetes, aggregatorRouting }) => up(`${kubernetes}${aggregatorRouting ? '-routing' : ''}`));
  program.command('status').description('List the running clusters').action(status);
  program.command('down').description('Stop all clusters and remove their files').action(down);
  return program;
}

/**
 * Runs one command of `npm run testbed`.
 * @returns an exit code with the same meaning as those of apisvc
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await makeProgram().parseAsync(args.length > 0 ? args : ['--help'], { from: 'user' });
    return Exit.ok;
  } catch (error) {
    // Commander has already printed its message. A request for help is not an error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.ok : Exit.usage;
    if (!(error instanceof ApisvcError)) throw error;
    console.error(`error: ${error.message}`);
    if (error.fix) console.error(`fix: ${error.fix}`);
    return error.exitCode;
  }
}
