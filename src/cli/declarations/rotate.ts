import { type Command, Option } from 'commander';
import type { Run } from '../action.ts';
import { duration, examples, timerLength, withCluster, withKeys, withOutput, withProject } from '../options.ts';

/** Adds `apisvc rotate`. */
export function addRotate(program: Command, run: Run): void {
  const command = program
    .command('rotate')
    .description(
      'Replace the serving certificate, and with --ca the CA too, while the API keeps serving. Run it again to continue after a failure',
    );
  withKeys(withOutput(withProject(withCluster(command, '15m')), 'rotate'), 'tls.key and ca.key')
    .option('--ca', 'Replace the CA too: trust both CAs until every endpoint serves a certificate of the new one')
    .addOption(
      new Option('--abort', 'Go back to the old certificates; after unregister, delete those in certs/next').conflicts([
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
        'Do nothing while every certificate in the cluster is valid for longer, for example 30d',
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
        'Restart the pods: "auto" if they do not reload the certificate, "always", or "never" (then rotate waits until you do)',
      )
        .choices(['auto', 'always', 'never'])
        .default('auto'),
    )
    .option('--nudge', 'Annotate the pods so that the kubelet updates their Secret volumes at once')
    .option('--force-conflicts', 'Take over fields that other field managers own')
    .option('--ca-cert <file>', 'Certificate of the CA that signs, for the issuer type "ca"')
    .option('--ca-key <file>', 'Private key of the CA in --ca-cert; apisvc does not copy the key')
    .option('--ca-key-passphrase-file <file>', 'File that contains the passphrase for --ca-key')
    .option('--ca-key-passphrase-env <name>', 'Environment variable that contains the passphrase for --ca-key')
    .addHelpText(
      'after',
      examples(
        'apisvc rotate                             # a new serving certificate from the same CA',
        'apisvc rotate --ca                        # a new CA and a new serving certificate',
        'apisvc rotate --ca --dry-run              # only show the steps',
        'apisvc rotate --abort                     # go back, at any step before the old CA is dropped',
        'apisvc rotate --if-expires-within 30d     # in a CronJob or in CI',
      ),
    )
    .action(run(async () => (await import('../../commands/rotate.ts')).rotate));
}

/** Zero is a duration here. */
const soakLength = (text: string): number => (/^0s?$/.test(text) ? 0 : timerLength(text));
