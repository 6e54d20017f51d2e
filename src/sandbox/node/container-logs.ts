import type { ServerResponse } from 'node:http';
import type { ContainerLog, LogLine } from './log.ts';
import type { PodOnNode } from './registry.ts';

/** An answer that says why there is no log. */
export class LogUnavailable extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * The log that is meant by a request for that of a container (k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go, validateContainerLogStatus): of one that has ended or waits the log of
 * its last run.
 * @throws LogUnavailable in the words of a kubelet
 */
export function selectLog({ object, containers }: PodOnNode, name: string, previous: boolean): ContainerLog {
  const pod = object.metadata.name;
  const container = containers.find((each) => each.name === name);
  if (!container) throw new LogUnavailable(404, `container "${name}" not found in pod "${pod}"`);
  const { state, last } = container;
  if (previous && !last) throw new LogUnavailable(400, `previous terminated container "${name}" in pod "${pod}" not found`);
  if (state.kind === 'running' && !previous) return state.log;
  if (last) return last.log;
  throw new LogUnavailable(
    400,
    `container "${name}" in pod "${pod}" is waiting to start: ${state.kind === 'waiting' ? state.reason : 'ContainerCreating'}`,
  );
}

/** What of a log is wanted, and how (k8s.io/api/core/v1/types.go, PodLogOptions). */
export interface LogQuery {
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  readonly since: Date | undefined;
  readonly timestamps: boolean;
  readonly follow: boolean;
}

export function readLogQuery(query: URLSearchParams, now: Date): LogQuery {
  const number = (name: string): number | undefined => (query.get(name) ? Number(query.get(name)) : undefined);
  const seconds = number('sinceSeconds');
  const time = query.get('sinceTime');
  const since = seconds === undefined ? (time ? new Date(time) : undefined) : new Date(now.getTime() - seconds * 1000);
  return {
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
    since,
    timestamps: query.get('timestamps') === 'true',
    follow: query.get('follow') === 'true',
  };
}

/** The lines that are wanted of what is there. */
export function selectLines(lines: readonly LogLine[], { since, tailLines }: Pick<LogQuery, 'since' | 'tailLines'>): readonly LogLine[] {
  const recent = since === undefined ? lines : lines.filter(({ time }) => time >= since);
  return tailLines === undefined ? recent : recent.slice(Math.max(0, recent.length - tailLines));
}

/** Writes a log; with `follow` goes on until the run has ended, the limit is reached, or the other side goes. */
export function sendLog(log: ContainerLog, query: LogQuery, response: ServerResponse): void {
  let left = query.limitBytes ?? Number.POSITIVE_INFINITY;
  const send = ({ time, text }: LogLine): void => {
    const bytes = Buffer.from(`${query.timestamps ? `${time.toISOString()} ` : ''}${text}\n`);
    if (left > 0) response.write(bytes.subarray(0, left));
    left -= bytes.length;
  };
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  for (const line of selectLines(log.lines, query)) if (left > 0) send(line);
  if (!query.follow || log.closed || left <= 0) return void response.end();
  const unfollow = log.follow((line) => {
    if (line) send(line);
    if (line && left > 0) return;
    unfollow();
    response.end();
  });
  response.once('close', unfollow);
}
