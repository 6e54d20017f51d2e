import type { KubeObject } from '../../manifests/types.ts';

/**
 * Whether every kube-apiserver has taken up a change. kube-apiserver does not tell. Each of them
 * renews a Lease every 10 seconds (k8s.io/kubernetes/pkg/controlplane/apiserver/server.go,
 * IdentityLeaseRenewIntervalPeriod), so that a renewal after the change shows that it runs, and
 * that it has had time for the change. Times are monotonic, in milliseconds: clocks of machines
 * differ.
 */

/** A Lease whose renewals pause for longer belongs to a kube-apiserver that does not run. */
export const freshMs = 25_000;

interface Seen {
  readonly renewTime: string;
  /** The time at which a renewal was noticed; undefined before the first one. */
  readonly renewedMs: number | undefined;
  /** The time since which renewals have not paused. */
  readonly freshSinceMs: number | undefined;
}

/** What was seen of each Lease, by name. */
export type Renewals = ReadonlyMap<string, Seen>;

/**
 * Records the Leases of all kube-apiservers.
 * @param before what was recorded; undefined at the first look
 */
export function recordRenewals(before: Renewals | undefined, leases: readonly KubeObject[], nowMs: number): Renewals {
  return new Map(leases.map((lease) => [lease.metadata.name, record(before, lease, nowMs)]));
}

function record(before: Renewals | undefined, { metadata, spec }: KubeObject, nowMs: number): Seen {
  const { renewTime = '' } = (spec ?? {}) as { readonly renewTime?: string };
  // One that appears later was created after the change.
  if (before === undefined) return { renewTime, renewedMs: undefined, freshSinceMs: undefined };
  const known = before.get(metadata.name);
  if (known?.renewTime === renewTime) return known;
  const paused = known?.renewedMs === undefined || nowMs - known.renewedMs > freshMs;
  return { renewTime, renewedMs: nowMs, freshSinceMs: paused ? nowMs : known.freshSinceMs };
}

/** What is still missing. */
export type Uptake =
  | { readonly state: 'done' }
  | { readonly state: 'settling'; readonly remainingMs: number }
  /** The names of the Leases that are not renewed. */
  | { readonly state: 'stale'; readonly leases: readonly string[] };

/** Judges the renewals: each Lease must be fresh, and all of them for the settle time. */
export function judgeRenewals(renewals: Renewals, { nowMs, settleMs }: { readonly nowMs: number; readonly settleMs: number }): Uptake {
  const isFresh = ({ renewedMs }: Seen): boolean => renewedMs !== undefined && nowMs - renewedMs <= freshMs;
  const stale = [...renewals].flatMap(([name, seen]) => (isFresh(seen) ? [] : [name]));
  if (stale.length > 0) return { state: 'stale', leases: stale };
  const since = Math.max(...[...renewals.values()].map(({ freshSinceMs = nowMs }) => freshSinceMs));
  const remainingMs = since + settleMs - nowMs;
  return remainingMs <= 0 ? { state: 'done' } : { state: 'settling', remainingMs };
}
