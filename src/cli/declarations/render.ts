import { type Command, Option } from 'commander';
import { flagsWithoutEffect } from '../../commands/render-flags.ts';
import type { Run } from '../action.ts';
import { examples, withOutput, withProject } from '../options.ts';

/** Adds `apisvc render`. */
export function addRender(program: Command, run: Run): void {
  const command = program.command('render').description('Print all manifests of the project, with the caBundle filled in');
  withOutput(withProject(command), 'render')
    .option('-d, --output-dir <dir>', 'Write each object to its own file in this directory')
    .addOption(
      new Option(
        '--secrets <choice>',
        'Include or omit the Secret, which contains the private key (default: omit, and print a note)',
      ).choices(['include', 'omit']),
    )
    .addOption(
      new Option(
        '--ca-bundle <choice>',
        'Include or omit the caBundle of the APIServices; omit it if another tool applies the manifests and register writes the caBundle (default: include)',
      ).choices(['include', 'omit']),
    )
    .addOption(
      new Option(
        '--monitor',
        'Print a Deployment that runs apisvc monitor, with RBAC objects, alerts and a NetworkPolicy; needs no project',
      ).conflicts(flagsWithoutEffect('monitor')),
    )
    .addOption(
      new Option(
        '--cronjob',
        'Print a CronJob that runs apisvc rotate --if-expires-within 30d, with RBAC objects; needs caKey: secret in apisvc.yaml',
      ).conflicts(flagsWithoutEffect('cronjob')),
    )
    .option('--schedule <cron>', 'Schedule of the CronJob, in cron syntax (default: "17 3 * * *")')
    .option('-n, --namespace <namespace>', 'Namespace of the monitor (default: apisvc-monitor)')
    .option('--image <image>', 'Container image of apisvc for the monitor or the CronJob')
    .addHelpText(
      'after',
      examples(
        'apisvc render --secrets include | kubectl apply --server-side -f -',
        'apisvc render -o kustomize --output-dir manifests --secrets omit',
        'apisvc render --output-dir manifests --secrets omit --ca-bundle omit   # for Argo CD or Flux',
        'apisvc render --monitor --image registry.example.com/apisvc:0.1.0 | kubectl apply -f -',
        'apisvc render --cronjob --image registry.example.com/apisvc:0.1.0 | kubectl apply -f -',
      ),
    )
    .action(run(async () => (await import('../../commands/render.ts')).render));
}
