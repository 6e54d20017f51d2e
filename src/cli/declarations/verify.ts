import { type Command, InvalidArgumentError, Option } from 'commander';
import type { VerifyFlags } from '../../commands/verify.ts';
import { UsageError } from '../../errors.ts';
import type { Run } from '../action.ts';
import { duration, examples, withClusters, withOutput, withProject } from '../options.ts';

/** Adds `apisvc verify`. */
export function addVerify(program: Command, run: Run): void {
  const command = program
    .command('verify')
    .argument('[name...]', 'Names of APIServices (default: the APIServices of the project)')
    .description('Diagnose APIServices: what is broken, why, and how to fix it. Read-only');
  withOutput(withProject(withClusters(command, '30s', 'Time limit for each context, for example 90s or 5m')), 'verify')
    .option('--all', 'Verify every APIService of the cluster')
    .option('-l, --selector <labels>', 'Label selector for APIServices, as in kubectl get -l')
    .option('--as-user <user>', 'Also check whether this user can access the API, for example a user without admin permissions')
    .addOption(
      new Option(
        '--probe <path>',
        'Request this path of an API instead of listing its objects, as kubectl get --raw does. The request must succeed. Repeat the flag for several APIs',
      ).argParser(probePath),
    )
    .addOption(noProbe())
    .addOption(
      new Option(
        '--fail-if-expires-within <duration>',
        'Exit with code 1 if a certificate expires within this duration, for example 30d',
      ).argParser(duration),
    )
    .option('--strict', 'Report an API as healthy only if every check ran; exit with code 3 if a check did not run')
    .option('--wait', 'Repeat until every API is healthy or --timeout expires')
    .addOption(new Option('--watch', 'Repeat every 5 seconds and show changes; --timeout applies to each run').conflicts(['wait', 'save']))
    .option(
      '--save <file>',
      'Save the observed state to this file, for --from or a bug report. The file contains log lines, events and responses, but no private keys, bearer tokens or passwords in URLs',
    )
    .addOption(
      new Option('--from <file>', 'Diagnose a file that --save wrote, without a cluster; "-" is standard input').conflicts(
        Object.entries(needsCluster).flatMap(([flag, needed]) => (needed ? [flag] : [])),
      ),
    )
    .addHelpText(
      'after',
      examples(
        'apisvc verify v1beta1.metrics.k8s.io',
        'apisvc verify --all -o wide',
        'apisvc verify --wait --timeout 2m -o junit',
        'apisvc verify --all --context staging --context production -o short',
        "apisvc verify --all --context '*' -o json",
        'apisvc verify v1beta1.metrics.k8s.io --save snapshot.json && apisvc verify --from snapshot.json',
      ),
    )
    .action(run(async () => (await import('../../commands/verify.ts')).verify));
}

/** Whether a flag of verify needs a cluster, so that --from excludes it. */
const needsCluster: Readonly<Record<keyof VerifyFlags, boolean>> = {
  kubeconfig: true,
  context: true,
  as: true,
  asGroup: true,
  timeout: false,
  directory: false,
  output: false,
  all: true,
  selector: true,
  asUser: true,
  probe: true,
  failIfExpiresWithin: false,
  strict: false,
  wait: true,
  watch: true,
  save: true,
  from: false,
};

const probeContradiction = (): UsageError =>
  new UsageError('--probe and --no-probe cannot be used together', { fix: 'Remove one of the two flags.' });

/** `--no-probe` sets the value of --probe. Commander parses it only because it has a preset. */
const noProbe = (): Option =>
  new Option('--no-probe', 'Skip the request that lists objects of each API')
    .preset(false)
    .argParser((_, before?: readonly string[] | boolean) => {
      if (Array.isArray(before)) throw probeContradiction();
      return false;
    });

/**
 * @throws InvalidArgumentError for a path that belongs to no API of an API group, and for a second
 * one of an API; UsageError after --no-probe
 */
function probePath(path: string, before: readonly string[] | boolean = []): readonly string[] {
  if (before === false) throw probeContradiction();
  const [root] = /^\/apis\/[^/?]+\/[^/?]+\/(?=[^/?])/.exec(path) ?? [];
  if (root === undefined) throw new InvalidArgumentError('Use a path like /apis/GROUP/VERSION/RESOURCE?limit=1.');
  const others = Array.isArray(before) ? before : [];
  if (others.some((other) => other.startsWith(root))) throw new InvalidArgumentError('Pass only one path for each API.');
  return [...others, path];
}
