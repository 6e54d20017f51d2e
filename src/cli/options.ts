import { type Command, InvalidArgumentError, Option } from 'commander';
import { type DurationLimits, durationFault, parseDuration } from '../config/duration.ts';
import { type FormatCommand, formatsOf } from '../report/formats.ts';

/** Options that several commands share. */

/** The limit of setTimeout. A longer timer would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Collects the values of a repeatable option. */
export const repeatable = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

/** Parses a duration. @returns milliseconds */
export const duration = (text: string): number => limitedDuration(text);

/** Parses a duration that a setting may limit. @returns milliseconds */
export function limitedDuration(text: string, limits?: DurationLimits): number {
  const ms = parseDuration(text);
  if (ms === undefined || limits?.isAllowed(ms) === false) throw new InvalidArgumentError(`It ${durationFault(text, limits)}.`);
  return ms;
}

/** Parses a duration that a timer can wait. @returns milliseconds */
export const timerLength = (text: string): number =>
  limitedDuration(text, { isAllowed: (ms) => ms <= longestTimerMs, rule: 'must be at most 24d' });

/** Adds the options for one cluster. @param timeout - the default, such as `30s` */
export const withCluster = (command: Command, timeout: string): Command =>
  withCredentials(command.option('--context <context>', 'Name of the kubeconfig context to use'), timeout);

/**
 * Adds the options for one or more clusters: `context` is a list.
 * @param limited - what the time limit limits, for the help
 */
export const withClusters = (command: Command, timeout: string, limited?: string): Command =>
  withCredentials(
    command.option(
      '--context <context>',
      'Name of the kubeconfig context to use, or a pattern such as "prod-*"; repeat the flag for several clusters',
      repeatable,
    ),
    timeout,
    limited,
  );

const withCredentials = (command: Command, timeout: string, limited = 'Time limit for the whole command, for example 90s or 5m'): Command =>
  withTimeout(
    command
      .option('--kubeconfig <file>', 'Kubeconfig to use instead of $KUBECONFIG or ~/.kube/config')
      .option('--as <user>', 'User to impersonate')
      .option('--as-group <group>', 'Group to impersonate; needs --as; repeatable', repeatable),
    timeout,
    limited,
  );

/** Adds a time limit. */
export const withTimeout = (command: Command, timeout: string, description: string): Command =>
  command.addOption(new Option('--timeout <duration>', description).argParser(timerLength).default(timerLength(timeout), timeout));

/** Adds `-o` with the formats of a command; the first is the default. */
export function withOutput(command: Command, name: FormatCommand): Command {
  const formats = formatsOf(name);
  return command.addOption(new Option('-o, --output <format>', 'Output format').choices(formats).default(formats[0]));
}

/** Collects a repeatable option whose values may also be separated by commas. */
export const repeatableList = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, ...value.split(',')];

/** Adds -C, which make and git use for a directory too. */
export const withProject = (command: Command): Command => command.option('-C, --directory <dir>', 'Project directory', '.');

/** Adds --keys. @param which - the files that the command reads in the directory */
export const withKeys = (command: Command, which: string): Command =>
  command.addOption(
    new Option(
      '--keys <dir>',
      `Read ${which} from this directory instead of certs/; "-" reads PEM from standard input. apisvc does not copy the keys to the project`,
    ).conflicts(['caCert', 'caKey']),
  );

/** The examples at the end of the help of a command. */
export const examples = (...lines: readonly string[]): string => `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;

const flagsOfKubectl = ['kubeconfig', 'context', 'as', 'namespace'];

/**
 * Leaves out lists without an item, and empty values of the flags for which kubectl takes them for
 * none (k8s.io/client-go/tools/clientcmd). `--as-group` is not one of these: kubectl sends an empty
 * group (k8s.io/client-go/transport/round_trippers.go).
 */
export function withoutEmpty<T extends object>(flags: T): Partial<T> {
  const set = Object.entries(flags).flatMap(([flag, value]) => {
    const isOfKubectl = flagsOfKubectl.includes(flag);
    if (!Array.isArray(value)) return isOfKubectl && value === '' ? [] : [[flag, value]];
    const given = isOfKubectl ? value.filter((each) => each !== '') : value;
    return given.length === 0 ? [] : [[flag, given]];
  });
  return Object.fromEntries(set);
}
