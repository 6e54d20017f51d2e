import { uptime } from 'node:os';
import type { Answer } from './answer.ts';
import type { Cluster } from './cluster.ts';
import { isForeign } from './status.ts';

/** Less may be the delay of the network, and matters to no certificate: see pki/clock-skew.ts. */
export const clockToleranceMs = 120_000;

/**
 * How far the clock of kube-apiserver is ahead of the local one, in milliseconds, by the Date
 * header of an answer.
 * @param sentAt the local time of the request, in milliseconds
 * @returns undefined where a proxy removed the header
 */
export function clockAhead({ date }: Answer, sentAt: number): number | undefined {
  const ahead = Date.parse(date ?? '') - Math.round((sentAt + Date.now()) / 2);
  return Number.isNaN(ahead) ? undefined : ahead;
}

/** The clock of kube-apiserver, by which it verifies certificates. */
export interface Clock {
  /** How far it is ahead of the local one, in milliseconds. 0 where it is not known. */
  readonly aheadMs: number;
  readonly now: () => Date;
}

/** Reads the clock of kube-apiserver once. @throws as `Cluster.request` */
export async function readClock(cluster: Cluster, signal: AbortSignal): Promise<Clock> {
  const sentAt = Date.now();
  const answer = await cluster.request({ path: '/version', signal });
  const aheadMs = isForeign(answer) ? 0 : (clockAhead(answer, sentAt) ?? 0);
  // Somebody may correct the local clock meanwhile. This one only counts on, also while the machine
  // is suspended (proc_uptime(5)), when performance.now() stands still.
  const uptimeMs = (): number => Math.round(uptime() * 1000);
  const start = Date.now() + aheadMs - uptimeMs();
  return { aheadMs, now: () => new Date(start + uptimeMs()) };
}
