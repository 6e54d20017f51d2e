import { pause as pauseFor } from '../../cluster/backoff.ts';
import { wasRefused } from '../../cluster/faults.ts';
import { observe as observeObjects } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resources.ts';
import { durationText } from '../../config/duration.ts';
import { freshMs, judgeRenewals, type Renewals, recordRenewals } from '../rotation/freshness.ts';
import { isHeldUp, longestPickupMs, readPickupQueue } from '../rotation/pickup-queue.ts';
import { type Delays, findDelays, longestReadMs, promptMs, settleTime } from '../rotation/settle-time.ts';
import type { Step } from '../runner.ts';
import { untilFirst, type Waiting, waitFor } from '../wait.ts';

/** One Lease for each kube-apiserver (k8s.io/kubernetes/pkg/controlplane/apiserver/server.go). */
const identities = {
  resource: resources.Lease,
  namespace: 'kube-system',
  labelSelector: 'apiserver.kubernetes.io/identity=kube-apiserver',
};

const pauseMs = 500;
const showLeases = 'kubectl -n kube-system get leases -l apiserver.kubernetes.io/identity=kube-apiserver';

const showApiServices = 'kubectl get apiservices';

interface Uptake {
  /** Completes "waiting for every kube-apiserver to ...". */
  readonly what?: string;
  readonly pause?: typeof pauseFor;
}

/**
 * Waits until every kube-apiserver uses the caBundles.
 * @param isDelivered whether the new certificate is in use already, so that waiting helps nothing
 */
export function uptakeStep(
  waiting: Waiting,
  isDelivered: () => Promise<boolean>,
  { what = 'trust both CAs', pause = pauseFor }: Uptake = {},
): Step {
  return {
    id: 'uptake',
    title: `Waiting for every kube-apiserver to ${what}`,
    // Without the permission it waits longer, and says so.
    needs: () => [],
    observe: async () => ({ state: (await isDelivered()) ? 'done' : 'pending' }),
    async run() {
      const startMs = performance.now();
      const isSeen = (await readPickupQueue(waiting)) !== undefined;
      await waitForLeases(waiting, what, pause, isSeen);
      if (!isSeen) return;
      await waitFor(`every kube-apiserver to ${what}`, showApiServices, waiting, (report) =>
        untilPickedUp(waiting, startMs, pause, report),
      );
    },
  };
}

const hidden = 'GET /metrics does not show whether kube-apiserver is still processing APIServices';

/**
 * Why the queues of all kube-apiservers are not known; undefined where they are.
 * @param isSeen whether the queue of the kube-apiserver that answers can be read
 */
function whyBlind(servers: number, isSeen: boolean): string | undefined {
  if (!isSeen) return hidden;
  return servers > 1
    ? `GET /metrics shows for only one of ${servers} kube-apiservers whether it is still processing APIServices`
    : undefined;
}

async function waitForLeases(waiting: Waiting, what: string, pause: typeof pauseFor, isSeen: boolean): Promise<void> {
  let said: string | undefined;
  let delays: Promise<Delays> | undefined;
  const settleMs = async (servers: number): Promise<number> => {
    const blind = whyBlind(servers, isSeen);
    if (blind === undefined) return promptMs;
    delays ??= findDelays(waiting);
    const { ms, why } = settleTime(await delays, blind);
    if (why !== said) noteWait(waiting, ms, why);
    said = why;
    return ms;
  };
  await waitFor(`every kube-apiserver to ${what}`, showLeases, waiting, async (report) => {
    const seen: { renewals?: Renewals } = {};
    const waitBlindly = async (why: string): Promise<void> => pauseBlindly(waiting, `failed to find the kube-apiservers (${why})`, pause);
    try {
      await untilFirst(waiting, (watching) => [watchLeases(watching, seen), untilRenewed(watching.signal, seen, settleMs, report)]);
    } catch (error) {
      if (!wasRefused(error)) throw error;
      await waitBlindly(error.message);
    }
    if (seen.renewals?.size === 0) await waitBlindly('no kube-apiserver has a Lease in kube-system');
  });
}

function noteWait({ onProgress }: Waiting, ms: number, why: string): void {
  onProgress({ kind: 'note', what: `waiting ${durationText(ms)}: ${why}` });
}

/** Waits for as long as kube-apiservers may need whose queues are not known. */
async function pauseBlindly(waiting: Waiting, blind: string, pause: typeof pauseFor): Promise<void> {
  const { ms, why } = settleTime(await findDelays(waiting), blind);
  noteWait(waiting, ms, why);
  await pause(ms, waiting.signal);
}

async function watchLeases({ cluster, signal }: Waiting, seen: { renewals?: Renewals }): Promise<void> {
  for await (const leases of observeObjects(cluster, identities, signal)) {
    seen.renewals = recordRenewals(seen.renewals, leases, performance.now());
  }
}

/** Returns at once where there are no Leases. */
async function untilRenewed(
  signal: AbortSignal,
  seen: { readonly renewals?: Renewals },
  settleTimeOf: (servers: number) => Promise<number>,
  report: (state: string) => void,
): Promise<void> {
  const start = performance.now();
  for (;;) {
    const { renewals } = seen;
    if (renewals?.size === 0) return;
    const settleMs = renewals ? await settleTimeOf(renewals.size) : 0;
    const uptake = renewals && judgeRenewals(renewals, { nowMs: performance.now(), settleMs });
    if (uptake?.state === 'done') return;
    if (uptake?.state === 'settling')
      report(`${counted(renewals?.size ?? 0)} renewed; waiting ${durationText(settleMs)} for the change to take effect`);
    if (uptake?.state === 'stale') report(staleText(uptake.leases, performance.now() - start > freshMs));
    await pauseFor(pauseMs, signal);
  }
}

/**
 * Waits for the kube-apiserver that answers. Its worker takes one APIService after another, so what
 * waits behind the caBundles that were just written does not matter, and the wait has an end.
 */
async function untilPickedUp(waiting: Waiting, startMs: number, pause: typeof pauseFor, report: (state: string) => void): Promise<void> {
  const { signal, onProgress } = waiting;
  let limitMs: number | undefined;
  for (let waitedMs = 0; ; waitedMs += pauseMs) {
    const queue = await readPickupQueue(waiting);
    if (!queue) return pauseBlindly(waiting, hidden, pause);
    if (!isHeldUp(queue, (performance.now() - startMs) / 1000)) return;
    limitMs ??= longestPickupMs(queue);
    if (waitedMs >= limitMs) {
      const what = `kube-apiserver is still processing APIServices after ${durationText(limitMs)}; continuing, because the changed ones are done by now (each takes at most ${durationText(longestReadMs)})`;
      onProgress({ kind: 'note', what });
      return;
    }
    report('kube-apiserver is still reading the OpenAPI document of another server');
    await pause(pauseMs, signal);
  }
}

const counted = (leases: number): string => (leases === 1 ? 'the Lease is' : `${leases} Leases are`);

/** A kube-apiserver that was removed leaves its Lease behind for an hour. */
const staleText = (leases: readonly string[], overdue: boolean): string =>
  `not renewed yet: ${leases.map((name) => `Lease ${name}`).join(', ')}${
    overdue ? `. If this kube-apiserver no longer exists, delete its Lease: kubectl -n kube-system delete lease ${leases[0]}` : ''
  }`;
