import { type Command, Option } from 'commander';
import type { Run } from '../action.ts';
import { duration, examples, timerLength, withCluster, withKeys, withOutput, withProject } from '../options.ts';

/** Adds `apisvc rotate`. */
export function addRotate(program: Command, run: Run): void {
  const command = program
    .command('rotate')
    .description(
      'Replace the serving certificate, and with --ca also the CA, while the API keeps serving. To continue after a failure, run the command again',
    );
  withKeys(withOutput(withProject(withCluster(command, '15m')), 'rotate'), 'tls.key and ca.key')
    .option('--ca', 'Also replace the CA; both CAs are trusted until every endpoint serves a certificate from the new CA')
    .addOption(
      new Option('--abort', 'Roll back to the old certificates. If the API was unregistered, only delete certs/next').conflicts([
        'ca',
        'ifExpiresWithin',
        'caCert',
        'caKey',
      ]),
    )
    .option('--dry-run', 'Show the steps, and which of them are done, without changing anything')
    .addOption(
      new Option(
        '--if-expires-within <duration>',
        'Rotate only if a certificate in the cluster expires within this duration, for example 30d',
      ).argParser(duration),
    )
    .addOption(
      new Option('--soak <duration>', 'How long to watch all endpoints before the old CA is removed from the caBundle')
        .argParser(soakLength)
        .default(60_000, '60s'),
    )
    .addOption(
      new Option(
        '--restart <when>',
        'When to restart the pods: "auto" (if they do not reload the certificate), "always", or "never" (rotate waits until you restart them)',
      )
        .choices(['auto', 'always', 'never'])
        .default('auto'),
    )
    .option('--nudge', 'Annotate the pods so that the kubelet updates their Secret volumes immediately')
    .option('--force-conflicts', 'Take over fields that other field managers own')
    .option('--ca-cert <file>', 'With the issuer type "ca": certificate of the CA that signs the serving certificate')
    .option('--ca-key <file>', 'Private key of the CA in --ca-cert; apisvc does not copy the key to the project')
    .option('--ca-key-passphrase-file <file>', 'File that contains the passphrase for --ca-key')
    .option('--ca-key-passphrase-env <name>', 'Environment variable that contains the passphrase for --ca-key')
    .addHelpText(
      'after',
      examples(
        'apisvc rotate                             # replace the serving certificate',
        'apisvc rotate --ca                        # also replace the CA',
        'apisvc rotate --ca --dry-run              # only show the steps',
        'apisvc rotate --abort                     # roll back, unless the rotation is nearly complete',
        'apisvc rotate --if-expires-within 30d     # in a CronJob or in CI',
      ),
    )
    .action(run(async () => (await import('../../commands/rotate.ts')).rotate));
}

/** Zero is a duration here. */
const soakLength = (text: string): number => (/^0s?$/.test(text) ? 0 : timerLength(text));
