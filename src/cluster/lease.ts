import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { RefusedError } from '../errors.ts';
import { projectAnnotation } from '../manifests/labels.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { Answer } from './answer.ts';
import { backoff } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import { Unreachable } from './faults.ts';
import { fieldManager } from './field-owners.ts';
import { awaitSilence, type SilenceRequest } from './lease-silence.ts';
import { getObject } from './objects.ts';
import { sendMergePatch } from './ownership.ts';
import { resourcePath } from './resources.ts';
import {
  type Holder,
  holderName,
  identityOf,
  type Journal,
  journalAnnotation,
  type RotatedService,
  type RotationLease,
  rotationLease,
  rotationLeaseLabels,
  viewRotationLease,
} from './rotation-lease.ts';
import { type Need, readJson, readStatus, refusal } from './status.ts';

/**
 * One rotation of a Service at a time: the Lease is its lock, and its journal in an annotation.
 * Other commands that write the same Secret and caBundle hold it too, without a journal.
 * Times of different clocks are never compared: a holder is gone when it does not renew the Lease
 * for its duration, as in k8s.io/client-go/tools/leaderelection. Nothing else proves that.
 */

export interface AcquireRequest extends SilenceRequest {
  /** `<namespace>/<name>` of the project whose certificate is rotated or written. */
  readonly project: string;
  readonly holder: Holder;
  /** In milliseconds. Default 5,000. */
  readonly renewMs?: number;
  /** The Lease as `awaitSilence` returned it. While it has this version, nobody is waited for. */
  readonly silent?: KubeObject | undefined;
}

/** A Lease that this process holds. */
export interface RotationLock {
  /** What an earlier holder recorded that did not finish. */
  readonly journal: Journal | undefined;
  /** Aborted with a RefusedError when another process takes the Lease over or deletes it. */
  readonly lost: AbortSignal;
  /** Aborted with the run, and when the Lease is lost: for everything that its holder does. */
  readonly signal: AbortSignal;
  /**
   * Records how far the rotation is.
   * @throws the reason of `lost` or of the signal; as `refusal`
   */
  record(journal: Omit<Journal, 'holder'>): Promise<void>;
  /**
   * Renews the Lease now. Afterwards no other process takes it over for as long as a request may
   * take, so that a write that follows at once is the write of its holder.
   * @throws as `record`
   */
  renew(): Promise<void>;
  /** Deletes the Lease: the rotation is complete. */
  release(): Promise<void>;
  /**
   * Gives the Lease up at once. The journal stays. Without a journal the Lease is deleted.
   * @param isOver whether whoever comes next needs no journal
   */
  stop(isOver?: boolean): Promise<void>;
}

/** The permissions that a rotation needs on its Lease. */
export const leaseNeeds = (service: RotatedService): readonly Need[] =>
  ['get', 'create', 'patch', 'delete'].map((verb) => ({ verb, ref: rotationLease(service) }));

const durationSeconds = 15;

/**
 * Takes the Lease of a Service, and renews it until `release` or `stop`. Waits until a holder that
 * does not renew it is gone.
 * @throws RefusedError when another process renews it; as `refusal`
 */
export async function acquireRotationLease(cluster: Cluster, request: AcquireRequest): Promise<RotationLock> {
  const { service, holder, signal, silent } = request;
  const ref = rotationLease(service);
  for (;;) {
    const found = await getObject(cluster, ref, signal);
    if (!found) {
      const created = await create(cluster, request);
      if (created) return keep(cluster, request, created, undefined);
      continue;
    }
    const isSilent = silent !== undefined && versionOf(found) === versionOf(silent);
    const free = isSilent ? found : await awaitSilence(cluster, request, found);
    if (!free) continue;
    const before = viewRotationLease(free);
    const spec = { ...claim(holder), leaseTransitions: before.transitions + 1 };
    const answer = await patch(cluster, service, { metadata: { resourceVersion: versionOf(free) }, spec }, signal);
    if (answer.status === 200) return keep(cluster, request, readJson<KubeObject>(cluster, answer), before);
    if (!isStale(answer)) throw refusal(cluster, { verb: 'patch', ref }, answer, new Date());
  }
}

const versionOf = ({ metadata }: KubeObject): string | undefined =>
  (metadata as KubeObject['metadata'] & { readonly resourceVersion?: string }).resourceVersion;

/** Changed or deleted by another writer. */
const isStale = ({ status }: Answer): boolean => status === 409 || status === 404;

const microTime = (): string => new Date().toISOString().replace('Z', '000Z');

const claim = (holder: Holder): object => ({
  holderIdentity: identityOf(holder),
  acquireTime: microTime(),
  renewTime: microTime(),
  leaseDurationSeconds: durationSeconds,
});

/** @returns undefined when another process was faster */
async function create(cluster: Cluster, { service, project, holder, signal }: AcquireRequest): Promise<KubeObject | undefined> {
  const ref = rotationLease(service);
  const { namespace, name, resource } = ref;
  const answer = await cluster.request({
    method: 'POST',
    path: resourcePath(resource, namespace),
    query: { fieldManager },
    body: {
      apiVersion: resource.apiVersion,
      kind: resource.kind,
      metadata: { name, namespace, labels: rotationLeaseLabels, annotations: { [projectAnnotation]: project } },
      spec: claim(holder),
    },
    signal,
  });
  if (answer.status === 201) return readJson<KubeObject>(cluster, answer);
  if (answer.status === 409 && readStatus(answer).reason === 'AlreadyExists') return undefined;
  // k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle
  if (answer.status === 404 && readStatus(answer).about === service.namespace) throw noNamespace(service);
  throw refusal(cluster, { verb: 'create', ref }, answer, new Date());
}

/** The namespace of the Service does not exist, so nothing in it can be rotated. */
export class NoNamespace extends RefusedError {}

const noNamespace = ({ namespace, name }: RotatedService): NoNamespace =>
  new NoNamespace(`namespace "${namespace}" of Service "${name}" not found, so nothing serves the API\nnothing was changed`, {
    fix: 'Remove what is left of the registration: apisvc unregister\nThen register the project again: apisvc register',
  });

const patch = (cluster: Cluster, service: RotatedService, body: object, signal: AbortSignal): Promise<Answer> =>
  sendMergePatch(cluster, rotationLease(service), body, signal);

/** A Lease that is held, and its latest version. */
interface Held {
  /** Writes to the Lease, again and again until kube-apiserver answers. */
  write(change: Change, within: AbortSignal): Promise<void>;
  /** Deletes the Lease. One that is gone already is fine. */
  remove(within: AbortSignal): Promise<void>;
}

interface Change {
  readonly metadata?: object;
  readonly spec: object;
}

/**
 * Only an answer can take the Lease away: while kube-apiserver restarts, nobody else can take it.
 * Requests must be sent one after the other, because each needs the version that the one before
 * made.
 * @param lose reports who has the Lease now
 */
function heldLease(cluster: Cluster, { service, holder }: AcquireRequest, lease: KubeObject, lose: (words: string) => never): Held {
  const ref = rotationLease(service);
  const name = `Lease ${ref.namespace}/${ref.name}`;
  let version = versionOf(lease);
  /** Another writer changed the Lease, or an answer to us was lost. */
  const reread = async (within: AbortSignal): Promise<void> => {
    const found = await getObject(cluster, ref, within);
    if (!found) return lose(`${name} was deleted`);
    const now = viewRotationLease(found);
    if (now.identity !== identityOf(holder)) return lose(`${now.holder || 'another process'} took over ${name}`);
    version = versionOf(found);
  };
  const untilAnswered = async (within: AbortSignal, send: () => Promise<boolean>): Promise<void> => {
    const wait = backoff({ firstMs: 200, longestMs: 2_000 });
    for (;;) {
      try {
        if (await send()) return;
        await reread(within);
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        await wait.pause(within);
      }
    }
  };
  return {
    write: (change, within) =>
      untilAnswered(within, async () => {
        const body = { ...change, metadata: { ...change.metadata, resourceVersion: version } };
        const answer = await patch(cluster, service, body, within);
        if (answer.status === 200) version = versionOf(readJson<KubeObject>(cluster, answer));
        else if (!isStale(answer)) throw refusal(cluster, { verb: 'patch', ref }, answer, new Date());
        return answer.status === 200;
      }),
    remove: (within) =>
      untilAnswered(within, async () => {
        const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { resourceVersion: version } };
        const answer = await cluster.request({
          method: 'DELETE',
          path: resourcePath(ref.resource, ref.namespace, ref.name),
          body,
          signal: within,
        });
        const isGone = answer.status === 404 && readStatus(answer).about === ref.name;
        if (answer.status !== 200 && answer.status !== 409 && !isGone) throw refusal(cluster, { verb: 'delete', ref }, answer, new Date());
        return answer.status !== 409;
      }),
  };
}

/** How long the last request may take when the run ends early. In milliseconds. */
const farewellMs = 5_000;

/**
 * In milliseconds. A request may take 10 seconds (link.ts), which is as much as is left of the
 * Lease after a renewal that took this long.
 */
const promptMs = 5_000;

/** Renews a Lease in the background until it is released, stopped or lost. */
function keep(cluster: Cluster, request: AcquireRequest, lease: KubeObject, before: RotationLease | undefined): RotationLock {
  const { holder, signal, renewMs = 5_000 } = request;
  const lost = new AbortController();
  const ended = new AbortController();
  const both = AbortSignal.any([signal, lost.signal]);
  // Every request in flight listens to the signal. Node would warn of a leak.
  setMaxListeners(0, both);
  const held = heldLease(cluster, request, lease, (words) => {
    const fix = 'Run the same command again when the other command has ended. To see the certificates: apisvc status';
    lost.abort(new RefusedError(`${words}; this command stops`, { fix }));
    throw lost.signal.reason;
  });
  let hasJournal = before?.journal !== undefined;
  let queue: Promise<unknown> = Promise.resolve();
  const inTurn = (run: () => Promise<void>): Promise<void> => {
    const next = queue.then(() => {
      lost.signal.throwIfAborted();
      return run();
    });
    queue = next.catch(() => undefined);
    return next;
  };
  const renew = async (): Promise<void> => {
    const within = AbortSignal.any([signal, ended.signal]);
    for (;;) {
      await sleep(renewMs, undefined, { signal: within });
      await inTurn(() => held.write({ spec: { renewTime: microTime() } }, within));
    }
  };
  renew().catch((error) => {
    // Without the permission to renew, another process will take the Lease over.
    if (!ended.signal.aborted && !signal.aborted) lost.abort(error);
  });
  return {
    journal: before?.journal,
    lost: lost.signal,
    signal: both,
    async record(journal) {
      const metadata = { annotations: { [journalAnnotation]: JSON.stringify({ ...journal, holder: holderName(holder) }) } };
      await inTurn(() => held.write({ metadata, spec: { renewTime: microTime() } }, signal));
      hasJournal = true;
    },
    async renew() {
      let sentAt: number;
      do {
        sentAt = performance.now();
        await inTurn(() => held.write({ spec: { renewTime: microTime() } }, signal));
      } while (performance.now() - sentAt > promptMs);
    },
    async release() {
      ended.abort();
      await inTurn(() => held.remove(signal));
    },
    async stop(isOver = false) {
      if (ended.signal.aborted) return;
      ended.abort();
      const within = AbortSignal.timeout(farewellMs);
      // As ReleaseOnCancel of client-go (leaderelection.go, release). A Lease that stays runs out.
      const farewell = hasJournal && !isOver ? () => held.write({ spec: { holderIdentity: '' } }, within) : () => held.remove(within);
      await inTurn(farewell).catch(() => undefined);
    },
  };
}
