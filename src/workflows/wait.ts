import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { dial } from '../cluster/dial.ts';
import type { Handshake } from '../cluster/handshake.ts';
import { getObject, listObjects, observe, slicesOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { serverNameOf } from '../config/registration.ts';
import { DeadlineError, RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { inspect } from '../pki/inspect.ts';
import { wouldAccept } from '../pki/trust.ts';
import { describeTarget, dialTargets, type Target } from '../verify/targets.ts';
import { viewApiService, viewEndpoints, viewService } from '../verify/views.ts';
import type { OnProgress } from './events.ts';

/** How to wait: one deadline for everything, and somebody to tell. */
export interface Waiting {
  readonly cluster: Cluster;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/** Runs a wait; when the deadline passes, the error says what was waited for and the last that was seen of it. */
async function waitFor(what: string, { onProgress }: Waiting, watch: (saw: (last: string) => void) => Promise<void>): Promise<void> {
  let last = 'nothing yet';
  try {
    await watch((now) => {
      if (now === last) return;
      last = now;
      onProgress({ kind: 'waiting', what, last });
    });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    throw new DeadlineError(`${error.message}, waiting for ${what}; last seen: ${last}`, {
      fix: 'Run the same command again to go on, with a longer --timeout if it only needs time; apisvc verify says what is wrong.',
      cause: error,
    });
  }
}

/** Waits until kube-apiserver calls an APIService Available. */
export const waitForAvailable = (waiting: Waiting, name: string): Promise<void> =>
  waitFor(`APIService ${name} to become Available`, waiting, async (saw) => {
    const one = { resource: resources.APIService, fieldSelector: `metadata.name=${name}` };
    for await (const [found] of observe(waiting.cluster, one, waiting.signal)) {
      const available = found && viewApiService(found).available;
      if (available?.status === 'True') return;
      saw(available ? `Available=${available.status} (${available.reason}): ${available.message}` : 'no Available condition yet');
    }
  });

/** Waits until a Deployment has rolled out (the rule of `kubectl rollout status`: k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go). */
export const waitForRollout = (waiting: Waiting, { metadata }: KubeObject): Promise<void> =>
  waitFor(`Deployment ${metadata.namespace}/${metadata.name} to roll out`, waiting, async (saw) => {
    const one = { resource: resources.Deployment, namespace: metadata.namespace ?? '', fieldSelector: `metadata.name=${metadata.name}` };
    for await (const [found] of observe(waiting.cluster, one, waiting.signal)) {
      const state = found ? rolloutState(found) : { done: false, words: 'it does not exist' };
      if (state.done) return;
      saw(state.words);
    }
  });

// biome-ignore lint/suspicious/noExplicitAny: a Deployment as the server sends it.
function rolloutState({ metadata, spec, status }: any): { readonly done: boolean; readonly words: string } {
  const wanted: number = spec.replicas ?? 1;
  const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0, replicas = 0, conditions = [] } = status ?? {};
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  const stuck = conditions.find(({ type, reason }: any) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded');
  if (stuck && observedGeneration >= metadata.generation) {
    throw new RefusedError(`Deployment ${metadata.namespace}/${metadata.name} does not roll out: ${stuck.message}`, {
      fix: `kubectl -n ${metadata.namespace} get pods; kubectl -n ${metadata.namespace} describe pods`,
    });
  }
  const done =
    observedGeneration >= metadata.generation && updatedReplicas >= wanted && availableReplicas >= wanted && replicas === updatedReplicas;
  return { done, words: `${updatedReplicas} of ${wanted} pods updated, ${availableReplicas} available` };
}

/** Waits until a Service has an endpoint that is ready. */
export const waitForEndpoints = (waiting: Waiting, namespace: string, service: string): Promise<void> =>
  waitFor(`Service ${namespace}/${service} to have a ready endpoint`, waiting, async (saw) => {
    for await (const found of observe(waiting.cluster, slicesOf({ namespace, name: service }), waiting.signal)) {
      const endpoints = found.flatMap(viewEndpoints);
      if (endpoints.some(({ ready }) => ready)) return;
      saw(`${endpoints.length} endpoints, none ready`);
    }
  });

/** What every endpoint of a Service must serve. */
export interface ExpectedCertificate {
  readonly namespace: string;
  readonly service: string;
  /** Port of the Service. */
  readonly port: number;
  readonly caBundle: string;
}

const longestPauseMs = 2_000;

/**
 * Waits until every ready endpoint serves a certificate that kube-apiserver will accept with this caBundle. There is nothing to watch on sockets, so they
 * are asked again and again, ever more slowly.
 * @returns the endpoints that can't be reached from here, which are not waited for: kube-apiserver may have a way to them that we have not
 */
export async function waitForCertificates(waiting: Waiting, expected: ExpectedCertificate): Promise<readonly string[]> {
  const host = serverNameOf({ namespace: expected.namespace, name: expected.service });
  let elsewhere: readonly string[] = [];
  await waitFor(`every endpoint to serve a certificate for ${host} that the caBundle trusts`, waiting, async (saw) => {
    const roots = inspect(expected.caBundle).certificates;
    const trusted = (presented: Presented): boolean => wouldAccept({ presented, roots, hostname: host, now: new Date() });
    for (let attempt = 0; ; attempt++) {
      const looks = await Promise.all((await readyTargets(waiting, expected)).map((target) => look(target, host, trusted, waiting.signal)));
      elsewhere = looks.filter(({ state }) => state === 'elsewhere').map(({ at, words }) => `${at}: ${words}`);
      const bad = looks.filter(({ state }) => state === 'bad');
      if (bad.length === 0 && looks.length > 0) return;
      saw(bad.map(({ at, words }) => `${at}: ${words}`).join('; ') || `no endpoint is ready for port ${expected.port} of the Service`);
      const pauseMs = Math.min(100 * 2 ** attempt, longestPauseMs);
      await sleep(pauseMs, undefined, { signal: waiting.signal }).catch(() => waiting.signal.throwIfAborted());
    }
  });
  for (const each of elsewhere) waiting.onProgress({ kind: 'note', what: `going on without a look at the certificate of ${each}` });
  return elsewhere;
}

async function readyTargets({ cluster, signal }: Waiting, { namespace, service, port }: ExpectedCertificate): Promise<readonly Target[]> {
  const [object, found] = await Promise.all([
    getObject(cluster, { resource: resources.Service, namespace, name: service }, signal),
    listObjects(cluster, slicesOf({ namespace, name: service }), signal),
  ]);
  return object ? dialTargets(viewService(object), found.flatMap(viewEndpoints), port) : [];
}

type Presented = (Handshake & { kind: 'served' })['certificates'];

interface Look {
  readonly at: string;
  readonly state: 'good' | 'bad' | 'elsewhere';
  readonly words: string;
}

async function look(target: Target, serverName: string, trusted: (presented: Presented) => boolean, signal: AbortSignal): Promise<Look> {
  const at = describeTarget(target);
  const handshake = await dial({ ...target, serverName }, signal);
  if (handshake.kind === 'failed') {
    // A pod that is ready listens; if not for us, then this is not its network.
    const unreachable = target.pod !== undefined || handshake.fault === 'timeout' || handshake.fault === 'no-route';
    return { at, state: unreachable ? 'elsewhere' : 'bad', words: handshake.words };
  }
  if (trusted(handshake.certificates)) return { at, state: 'good', words: '' };
  const [leaf] = handshake.certificates;
  const served = leaf && `${leaf.subject || leaf.dnsNames.join(', ')} (SHA-256 ${leaf.fingerprint}), signed by ${leaf.issuer}`;
  return { at, state: 'bad', words: served ? `serves ${served}` : 'serves no certificate' };
}
