import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import { dial, formatAddress } from '../cluster/dial.ts';
import type { Handshake } from '../cluster/handshake.ts';
import { observe } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { DeadlineError, RefusedError } from '../errors.ts';
import type { KubeObject } from '../manifests/types.ts';
import { inspect } from '../pki/inspect.ts';
import { wouldAccept } from '../pki/trust.ts';
import { viewApiService, viewEndpoints } from '../verify/views.ts';
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
    const slices = { resource: resources.EndpointSlice, namespace, labelSelector: `kubernetes.io/service-name=${service}` };
    for await (const found of observe(waiting.cluster, slices, waiting.signal)) {
      const endpoints = found.flatMap(viewEndpoints);
      if (endpoints.some(({ ready }) => ready)) return;
      saw(`${endpoints.length} endpoints, none ready`);
    }
  });

/** A server outside the cluster, and what it must serve. */
export interface ExpectedServer {
  readonly address: string;
  readonly port: number;
  readonly host: string;
  readonly caBundle: string;
}

const longestPauseMs = 2_000;

/**
 * Waits until a server outside the cluster serves a certificate that kube-apiserver will accept. There is nothing to watch there, so it is asked again
 * and again, ever more slowly. A server that can't be reached from here is not waited for: kube-apiserver may have another way to it.
 */
export const waitForCertificate = (waiting: Waiting, { address, port, host, caBundle }: ExpectedServer): Promise<void> =>
  waitFor(`${formatAddress(address, port)} to serve a certificate for ${host} that the caBundle trusts`, waiting, async (saw) => {
    const roots = inspect(caBundle).certificates;
    for (let attempt = 0; ; attempt++) {
      const handshake = await dial({ address, port, serverName: host }, waiting.signal);
      const state = handshakeState(handshake, (presented) => wouldAccept({ presented, roots, hostname: host, now: new Date() }));
      if (state === 'good') return;
      if (state === 'elsewhere') {
        const words = handshake.kind === 'failed' ? handshake.words : '';
        waiting.onProgress({
          kind: 'note',
          what: `${formatAddress(address, port)} can't be reached from here (${words}); going on without a look at its certificate`,
        });
        return;
      }
      saw(state);
      await sleep(Math.min(100 * 2 ** attempt, longestPauseMs), undefined, { signal: waiting.signal }).catch(() =>
        waiting.signal.throwIfAborted(),
      );
    }
  });

type Presented = (Handshake & { kind: 'served' })['certificates'];

function handshakeState(handshake: Handshake, trusted: (presented: Presented) => boolean): string {
  if (handshake.kind === 'failed') return handshake.fault === 'timeout' || handshake.fault === 'no-route' ? 'elsewhere' : handshake.words;
  if (trusted(handshake.certificates)) return 'good';
  const [leaf] = handshake.certificates;
  return leaf
    ? `it serves ${leaf.subject || leaf.dnsNames.join(', ')} (SHA-256 ${leaf.fingerprint}), signed by ${leaf.issuer}`
    : 'it serves no certificate';
}
