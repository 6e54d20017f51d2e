import { request } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { ClusterError, DeadlineError } from '../../errors.ts';
import { lastLines, type RunningProcess } from '../shared/process.ts';

const intervalMs = 50;

/** PEM texts; `ca` absent: any serving certificate will do. */
export interface Credentials {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Asks until the answer is yes. A server that ends meanwhile ends the wait, with its own last words.
 * @param what - for the message: what was waited for, e.g. `kube-apiserver`
 * @throws ClusterError when one of `processes` has ended, DeadlineError when `signal` is aborted
 */
export async function waitUntil(
  what: string,
  condition: () => Promise<boolean>,
  { processes, signal }: { readonly processes: readonly RunningProcess[]; readonly signal: AbortSignal },
): Promise<void> {
  while (!(await condition())) {
    for (const process of processes) if (process.ended()) throw death(process);
    if (signal.aborted) {
      throw new DeadlineError(`${what} was not ready in time`, { fix: `See ${processes.map(({ logFile }) => logFile).join(', ')}.` });
    }
    await pause(intervalMs);
  }
}

/** @returns whether a GET of this https URL answers 200; an unreachable server is a no */
export function answers(url: string, { ca, cert, key }: Credentials): Promise<boolean> {
  return new Promise((resolve) => {
    // Without a CA this asks only whether a server is up, not who it is.
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

/** That a server has ended, with its last words. */
export function death(process: RunningProcess): ClusterError {
  const [lastWords] = lastLines(process, 1);
  return new ClusterError(`${process.name} ended with ${process.ended()}: ${lastWords ?? 'it said nothing'}`, {
    fix: `See ${process.logFile}.`,
    cause: new Error(lastLines(process, 20).join('\n')),
  });
}
