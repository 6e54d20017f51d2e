import { lastLogLines } from '../../cluster/logs.ts';
import { redacted } from '../../config/redact.ts';
import type { Observed } from '../types.ts';
import type { CollectContext } from './context.ts';

/** The container that serves an API. */
export interface ServingContainer {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

const readLines = 200;
const keptLines = 3;

/**
 * Reads the last errors in the log of a server.
 * @throws the reason of the signal
 */
export async function collectServerLog({ cluster, signal }: CollectContext, of: ServingContainer): Promise<Observed<readonly string[]>> {
  const log = await lastLogLines(cluster, { ...of, previous: false, lines: readLines }, signal);
  if (log.kind === 'lines') return { state: 'seen', value: lastErrors(log.lines).map(redacted) };
  return { state: 'unseen', reason: log.kind === 'forbidden' ? 'forbidden' : 'unreachable', words: log.words };
}

/**
 * The header of an error or a warning of klog, up to the message
 * (k8s.io/klog/v2/internal/serialize).
 */
const klogError = /^[EWF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [^\]]*\] /;
const otherError = /\blevel=(?:error|warn)|"level":"(?:error|warn)|^(?:ERROR|WARN)|\bunable to\b|\bfailed to\b/i;

/** The last different errors, in the order of the log. */
export function lastErrors(lines: readonly string[]): readonly string[] {
  const errors = lines.filter((line) => klogError.test(line) || (!/^[ID]\d{4} /.test(line) && otherError.test(line)));
  const byMessage = new Map(errors.map((line) => [line.replace(klogError, ''), line]));
  return [...byMessage.values()].slice(-keptLines);
}
