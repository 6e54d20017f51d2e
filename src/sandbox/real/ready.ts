import { statfsSync } from 'node:fs';
import { request } from 'node:https';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { lastMessageLine } from '../../cluster/last-message.ts';
import { type ApisvcError, ClusterError, DeadlineError, UsageError } from '../../errors.ts';
import { fullDisk } from '../shared/file-faults.ts';
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
 * @throws ClusterError when one of `processes` has ended, UsageError when that is because the disk
 * is full; DeadlineError when `signal` aborts
 */
export async function waitUntil(
  what: string,
  condition: () => Promise<boolean>,
  { processes, signal }: { readonly processes: readonly RunningProcess[]; readonly signal: AbortSignal },
): Promise<void> {
  while (!(await condition())) {
    for (const process of processes) if (process.ended()) throw processError(process);
    if (signal.aborted) {
      throw new DeadlineError(`timed out waiting for ${what}`, {
        fix: `Check the logs: ${processes.map(({ logFile }) => logFile).join(', ')}`,
      });
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

/** The error for a process that ended, with the last message of its log. */
export function processError(process: RunningProcess): ApisvcError {
  const { name, program, logFile } = process;
  const lines = lastLines(process, 60);
  const what = `${name} ${process.ended()}`;
  if (lines.some((line) => line.includes('no space left on device')) || isDiskFull(logFile)) {
    const { message, fix = '' } = fullDisk(dirname(logFile), { code: 'ENOSPC' });
    return new UsageError(`${what}: ${message}`, { fix });
  }
  if (lines.length === 0)
    return new ClusterError(`${what}, and its log is empty`, { fix: `Check that ${name} runs on this host: ${program} --version` });
  return new ClusterError(`${what}: ${lastMessage(lines)}`, { fix: `Check the log: ${logFile}`, cause: new Error(lines.join('\n')) });
}

/** Programs cannot log that the disk is full when their log is on it. */
function isDiskFull(path: string): boolean {
  const { bavail, bsize } = statfsSync(dirname(path));
  return bavail * bsize < 4096;
}

/**
 * An error in a log of klog (k8s.io/klog/v2, header format), of zap (as etcd sets it up), or of the
 * Go runtime.
 */
const errorLine = /^(?:[EF]\d{4} |panic: |fatal error: |SIG[A-Z]+: |Error: |\{"level":"(?:error|panic|fatal)")/;

/**
 * What a program said before it ended: the last error of its log, otherwise its last line, but
 * never a frame of a stack trace. Of a line in JSON, only the message and its error.
 */
function lastMessage(lines: readonly string[]): string {
  const json = lines.findLast((line) => /^\{"level":"(?:panic|fatal)"/.test(line));
  return jsonMessage(json) ?? lines.findLast((line) => errorLine.test(line)) ?? lastMessageLine(lines);
}

function jsonMessage(line = ''): string | undefined {
  try {
    const { msg, error } = JSON.parse(line);
    return error === undefined ? msg : `${msg}: ${error}`;
  } catch {
    return undefined;
  }
}
