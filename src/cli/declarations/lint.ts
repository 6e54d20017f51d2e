import { type Command, Option } from 'commander';
import type { Run } from '../action.ts';
import { examples, repeatable, withOutput, withProject } from '../options.ts';

/** Adds `apisvc lint`. */
export function addLint(program: Command, run: Run): void {
  const command = program
    .command('lint')
    .argument('[file...]', 'Manifests in YAML or JSON, or directories that contain them; "-" is standard input (default: the project)')
    .description('Check manifests and their certificates without a cluster');
  withOutput(withProject(command), 'lint')
    .option('-f, --filename <file>', 'File or directory to check, as in kubectl apply -f; repeatable', repeatable)
    .option('-R, --recursive', 'Read directories recursively')
    .option('--strict', 'Fail if the files lack an object that a check needs')
    .addOption(
      new Option(
        '--fail-on <severity>',
        'Exit with code 1 for findings of this severity or higher; "warning" also reports warnings as errors; "never" exits with 0 despite findings',
      )
        .choices(['error', 'warning', 'never'])
        .default('error'),
    )
    .addHelpText(
      'after',
      examples(
        'apisvc lint                          # the project in this directory',
        'apisvc lint deploy/ --fail-on warning',
        'apisvc lint -R -f manifests -o sarif > lint.sarif',
        'kubectl kustomize overlays/production | apisvc lint -',
        'helm template ./chart | apisvc lint -',
      ),
    )
    .action(run(async () => (await import('../../commands/lint.ts')).lint));
}
