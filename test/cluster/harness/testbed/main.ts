import { Command, CommanderError, Option } from 'commander';
import { ApisvcError, Exit } from '../../../../src/errors.ts';
import { requireNamespaces } from '../../../../src/sandbox/real/network.ts';
import { down } from './down.ts';
import { status } from './status.ts';
import { up } from './up.ts';

function makeProgram(): Command {
  const program = new Command('npm run testbed --')
    .description('A real Kubernetes with one node on this machine: the cluster that the tests run on. Needs Linux and root.')
    .helpCommand(false)
    .hook('preAction', requireNamespaces)
    .exitOverride();
  program
    .command('up')
    .description('start one in the background, wait until it is ready, and print the line that makes kubectl use it')
    .addOption(new Option('--kubernetes <version>', 'whose kube-apiserver to run').choices(['1.37', '1.35']).default('1.37'))
    .option('--aggregator-routing', 'let kube-apiserver go to the endpoints of extension servers, past kube-proxy')
    .addHelpText('after', '\nExample:\n  eval "$(npm run --silent testbed -- up)" && kubectl get nodes')
    .action(({ kubernetes, aggregatorRouting }) => up(`${kubernetes}${aggregatorRouting ? '-routing' : ''}`));
  program.command('status').description('list those that run').action(status);
  program.command('down').description('end them and remove everything of theirs').action(down);
  return program;
}

/** Runs one command of `npm run testbed`. @returns the exit code, of the same meaning as those of apisvc */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await makeProgram().parseAsync(args.length > 0 ? args : ['--help'], { from: 'user' });
    return Exit.ok;
  } catch (error) {
    // Commander has said what it had to say; help that was asked for is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.ok : Exit.usage;
    if (!(error instanceof ApisvcError)) throw error;
    console.error(`error: ${error.message}`);
    if (error.fix) console.error(`fix: ${error.fix}`);
    return error.exitCode;
  }
}
