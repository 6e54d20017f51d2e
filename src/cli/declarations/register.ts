import { type Command, InvalidArgumentError, Option } from 'commander';
import { type RegisterPart, registerPartNames } from '../../config/register-parts.ts';
import type { Run } from '../action.ts';
import { examples, withCluster, withKeys, withOutput, withProject } from '../options.ts';

/** Adds `apisvc register`. */
export function addRegister(program: Command, run: Run): void {
  const command = program
    .command('register')
    .description('Apply the objects of the project in a safe order, wait until the API is available, and verify it');
  withKeys(withOutput(withProject(withCluster(command, '2m')), 'register'), 'tls.key')
    .addOption(
      new Option(
        '--dry-run <where>',
        '"client": only list the objects; "server": submit the objects to the cluster without persisting them',
      ).choices(['client', 'server']),
    )
    .option('--diff', 'Show the changes without applying them; exit with code 1 if there are changes')
    .option('--force-conflicts', 'Take over fields that other field managers own')
    .addOption(
      new Option(
        '--only <objects>',
        `Apply only these objects, if another tool applies the others; comma-separated: ${registerPartNames.join(', ')}`,
      ).argParser(registerPartsIn),
    )
    .option('-y, --yes', 'Has no effect, because register never prompts')
    .addHelpText(
      'after',
      examples(
        'apisvc register --dry-run=server',
        'apisvc register --context staging --timeout 5m',
        'sops -d tls.enc.pem | apisvc register --keys -',
      ),
    )
    .action(run(async () => (await import('../../commands/register.ts')).register));
}

/** Parses the value of `register --only`. @throws InvalidArgumentError for an unknown part */
function registerPartsIn(text: string, earlier: readonly RegisterPart[] = []): readonly RegisterPart[] {
  const names = text.split(',');
  const isKnown = (name: string): name is RegisterPart => registerPartNames.some((part) => part === name);
  if (!names.every(isKnown)) throw new InvalidArgumentError(`Allowed choices are ${registerPartNames.join(', ')}.`);
  return [...new Set([...earlier, ...names])];
}
