import { request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { ClusterError, DeadlineError } from '../../errors.ts';
import { lastLines, type RunningProcess } from '../shared/process.ts';

const intervalMs = 50;

/** PEM; without `ca`, any serving certificate is accepted. */
export interface Credentials {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Polls a condition until it holds.
 * @param what names it in the error, for example `kube-apiserver`
 * @throws ClusterError when one of `processes` has ended; DeadlineError when `signal` aborts
 */
export async function waitUntil(
  what: string,
  condition: () => Promise<boolean>,
  { processes, signal }: { readonly processes: readonly RunningProcess[]; readonly signal: AbortSignal },
): Promise<void> {
  while (!(await condition())) {
    for (const process of processes) if (process.ended()) throw processError(process);
    if (signal.aborted) {
      throw new DeadlineError(`timed out waiting for ${what}`, { fix: `Read ${processes.map(({ logFile }) => logFile).join(', ')}.` });
    }
    await pause(intervalMs);
  }
}

/** @returns whether a GET of this https URL is answered with 200 */
export function answers(url: string, { ca, cert, key }: Credentials): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { ca, cert, key, rejectUnauthorized: ca !== undefined, agent: false, timeout: 2_000 };
    const get = request(url, options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    get.on('timeout', () => get.destroy());
    get.on('error', () => resolve(false));
    get.end();
  });
}

/** The error for a process that ended, with the last line of its log. */
export function processError(process: RunningProcess): ClusterError {
  const [lastLine] = lastLines(process, 1);
  return new ClusterError(`${process.name} ${process.ended()}: ${lastLine ?? 'its log is empty'}`, {
    fix: `Read ${process.logFile}.`,
    cause: new Error(lastLines(process, 20).join('\n')),
  });
}
