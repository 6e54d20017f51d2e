import { type Command, Option } from 'commander';
import type { Run } from '../action.ts';
import { examples, withCluster, withOutput } from '../options.ts';

/** Adds `apisvc secure`. */
export function addSecure(program: Command, run: Run): void {
  const command = program
    .command('secure')
    .argument('<name>', 'Name of an APIService with insecureSkipTLSVerify: true')
    .description(
      'Give a running server a serving certificate that kube-apiserver verifies, while its API keeps serving. To continue after a failure, run the command again',
    );
  withOutput(withCluster(command, '10m'), 'secure')
    .option('-C, --directory <dir>', 'Project directory; created if it does not exist (default: the name of the Deployment)')
    .option('-y, --yes', 'Do not ask for confirmation')
    .addOption(new Option('--diff', 'Show the changes without applying them; exit with code 1 if there are changes').conflicts(['undo']))
    .option('--undo', 'Restore the previous state, and wait until the API is Available')
    .addHelpText(
      'after',
      examples(
        'apisvc secure v1beta1.metrics.k8s.io           # show the changes, ask, and apply them',
        'apisvc secure v1beta1.metrics.k8s.io --yes',
        'apisvc secure v1beta1.metrics.k8s.io --undo',
      ),
    )
    .action(run(async () => (await import('../../commands/secure.ts')).secure));
}
