import { type Command, Option } from 'commander';
import type { Run } from '../action.ts';
import { examples, withCluster, withOutput, withProject } from '../options.ts';

/** Adds `apisvc unregister`. */
export function addUnregister(program: Command, run: Run): void {
  const command = program
    .command('unregister')
    .argument('[name]', 'Name of an APIService, or <namespace>/<name> of a project (default: the project in this directory)')
    .description('Delete the APIService, then everything else that register created, and restore what register changed');
  withOutput(withProject(withCluster(command, '2m')), 'unregister')
    .option('-y, --yes', 'Do not ask for confirmation')
    .addOption(
      new Option(
        '--dry-run <where>',
        '"client": only show what would happen; "server": also submit the changes to the cluster without persisting them',
      ).choices(['client', 'server']),
    )
    .option('--keep-secrets', 'Keep the Secrets in the cluster, and therefore also their namespace')
    .addOption(
      new Option(
        '--leftovers',
        'Only list the objects that earlier registrations left behind, and the commands that delete them',
      ).conflicts(['dryRun', 'keepSecrets']),
    )
    .addHelpText(
      'after',
      examples(
        'apisvc unregister --dry-run=client',
        'apisvc unregister v1alpha1.wardle.example.com --yes',
        'apisvc unregister --leftovers',
      ),
    )
    .action(run(async () => (await import('../../commands/unregister.ts')).unregister));
}
