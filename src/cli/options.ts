import { type Command, InvalidArgumentError, Option } from 'commander';
import { durationWords, parseDuration } from '../config/duration.ts';

/** Options that several commands share, each defined once. */

/** The most that setTimeout holds; what is longer would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Collects an option that may be given several times. */
export const each = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];

/** Reads a length of time as milliseconds. */
export const duration = (text: string): number => {
  const value = parseDuration(text);
  if (value === undefined) throw new InvalidArgumentError(durationWords);
  return value;
};

const timerLength = (text: string): number => {
  const value = duration(text);
  if (value > longestTimerMs) throw new InvalidArgumentError('must be at most 24d: no timer runs longer');
  return value;
};

/** Adds what a command needs to reach a cluster. `timeout` is in milliseconds. */
export const withCluster = (command: Command, timeout: string): Command =>
  withCredentials(command.option('--context <context>', 'context of the kubeconfig'), timeout);

/** The same for a command that may look at several clusters: `context` is a list. */
export const withClusters = (command: Command, timeout: string): Command =>
  withCredentials(command.option('--context <context>', 'context of the kubeconfig; may be repeated: side by side', each), timeout);

const withCredentials = (command: Command, timeout: string): Command =>
  withTimeout(
    command
      .option('--kubeconfig <file>', 'kubeconfig to use instead of KUBECONFIG or ~/.kube/config')
      .option('--as <user>', 'act as this user')
      .option('--as-group <group>', 'act as a member of this group too; needs --as; may be repeated', each),
    timeout,
    'the longest that the whole command may take, for example 90s or 5m',
  );

/** A limit for what a command waits for. */
export const withTimeout = (command: Command, timeout: string, words: string): Command =>
  command.addOption(new Option('--timeout <duration>', words).argParser(timerLength).default(timerLength(timeout), timeout));

/** Adds `-o` with the formats that a command knows; the first is the default. */
export const withOutput = (command: Command, formats: readonly string[]): Command =>
  command.addOption(new Option('-o, --output <format>', 'format of the result').choices(formats).default(formats[0]));

/** Collects an option that may be given several times, or once with commas. */
export const list = (value: string, earlier: readonly string[] = []): readonly string[] => [
  ...earlier,
  ...value.split(',').filter((part) => part !== ''),
];
