import { type Command, Option } from 'commander';
import type { Run } from '../action.ts';
import { duration, examples, withCluster, withOutput, withProject } from '../options.ts';

/** Adds `apisvc status`. */
export function addStatus(program: Command, run: Run): void {
  const command = program
    .command('status')
    .argument('[name]', 'Name of an APIService (default: the APIServices of the project)')
    .description(
      'Compare the certificates in the project files, the Secret and the caBundle with those that the endpoints serve, and show when they expire. Read-only',
    );
  withOutput(withProject(withCluster(command, '30s')), 'status')
    .addOption(
      new Option(
        '--fail-if-expires-within <duration>',
        'Exit with code 1 if a certificate expires within this duration, for example 30d',
      ).argParser(duration),
    )
    .addHelpText(
      'after',
      exitCodes +
        examples('apisvc status', 'apisvc status v1beta1.metrics.k8s.io -o wide', 'apisvc status --fail-if-expires-within 30d -o json'),
    )
    .action(run(async () => (await import('../../commands/status.ts')).status));
}

const exitCodes = `
The exit code is 1 if the certificates do not match (drift), and 3 if the Secret, a caBundle or an
endpoint could not be checked.
`;
