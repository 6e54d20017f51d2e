import { ClusterError } from '../errors.ts';
import type { Answer } from './answer.ts';
import type { Cluster } from './cluster.ts';
import { Unreachable } from './faults.ts';
import type { EndpointHandshake, FailedHandshake, Handshake } from './handshake.ts';
import { forwardPort, type PodPort } from './port-forward.ts';
import { resourcePath, subresources } from './resources.ts';
import { readStatus } from './status.ts';
import { handshake } from './tls-handshake.ts';

/** Where to connect, and the server name to ask for. */
export interface DialTarget {
  readonly address: string;
  readonly port: number;
  /** SNI: `<service>.<namespace>.svc`. */
  readonly serverName: string;
}

/** An endpoint of a Service. */
export interface EndpointTarget extends DialTarget {
  readonly namespace: string;
  /** Name of the pod with this address, if any. */
  readonly pod: string | undefined;
}

const handshakeTimeoutMs = 5_000;
/** For addresses of pods, which are rarely reachable from outside the cluster. */
const podAddressTimeoutMs = 2_000;

/**
 * Makes the TLS handshake of `handshake` with an address.
 * @throws the reason of the signal; any other failure is part of the result
 */
export const dial = ({ address, port, serverName }: DialTarget, signal: AbortSignal, timeoutMs = handshakeTimeoutMs): Promise<Handshake> =>
  handshake({ to: { host: address, port }, serverName, timeoutMs, signal });

/** Makes the same handshake with a pod by port-forward. @throws as `dial` */
async function dialPod(cluster: Cluster, target: PodPort & { readonly serverName: string }, signal: AbortSignal): Promise<Handshake> {
  try {
    const socket = await forwardPort(cluster, target, signal);
    return await handshake({ to: { socket }, serverName: target.serverName, timeoutMs: handshakeTimeoutMs, signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ClusterError)) throw error;
    return { kind: 'failed', fault: 'no-forward', words: error.fix ? `${error.message}. ${error.fix}` : error.message };
  }
}

/**
 * Makes the handshake with one endpoint of a Service. For a pod it uses port-forward, which works
 * from everywhere, otherwise the address. It also tries the address of a pod when the port-forward
 * fails, and when localhost in the pod refuses: the server may listen on the address of the pod
 * only. The result of the port-forward stays when the address is not reachable from here, or when
 * kube-apiserver can connect to it.
 * @throws as `dial`
 */
export async function dialEndpoint(cluster: Cluster, target: EndpointTarget, signal: AbortSignal): Promise<EndpointHandshake> {
  const { pod } = target;
  if (pod === undefined) return { ...(await dial(target, signal)), via: 'address' };
  const inside = await dialPod(cluster, { ...target, pod }, signal);
  if (inside.kind === 'served' || !['refused', 'no-forward'].includes(inside.fault)) return { ...inside, via: 'pod' };
  const known: FailedHandshake = inside.fault === 'refused' ? await checkPodAddress(cluster, { ...target, pod }, inside, signal) : inside;
  if (known.fault === 'refused') return { ...known, via: 'pod' };
  const direct = await dial(target, signal, podAddressTimeoutMs);
  // After a refusal in the pod, a refusal from here proves no more. For a server that answers
  // kube-apiserver, no failure from here proves anything.
  const listens = inside.fault === 'refused' && known.fault === 'no-forward';
  const silent = ['timeout', 'tls-timeout', 'no-route', ...(inside.fault === 'refused' ? ['refused'] : [])];
  const nowhere = direct.kind === 'failed' && (listens || silent.includes(direct.fault));
  if (nowhere) return { ...known, via: 'pod' };
  return known.fault === 'no-forward' ? { ...direct, via: 'address', noForward: known.words } : { ...direct, via: 'address' };
}

/**
 * Lets kube-apiserver connect to the address of a pod whose localhost refuses connections. From
 * here, another host may have that address. The request is a GET of / without credentials.
 * @returns `refused` when the address refuses too; `no-forward` when it gives any answer;
 * `localhost-refused` when that is not known, for example without the permission to `get
 * pods/proxy`
 */
async function checkPodAddress(cluster: Cluster, target: PodPort, inside: FailedHandshake, signal: AbortSignal): Promise<FailedHandshake> {
  const { namespace, pod, port } = target;
  // Scheme and port are part of the name (k8s.io/apimachinery/pkg/util/net/port_split.go).
  // kube-apiserver does not verify the certificate here.
  const proxied = `https:${pod}:${port}`;
  const unknown: FailedHandshake = { ...inside, fault: 'localhost-refused' };
  try {
    const answer = await cluster.request({
      path: `${resourcePath(subresources.podProxy, namespace, proxied)}/`,
      signal,
      timeoutMs: podAddressTimeoutMs,
    });
    // k8s.io/apimachinery/pkg/util/proxy/transport.go passes the error of Go's net package on.
    const refused =
      answer.status === 503 && /^error trying to reach service: dial .*: connection refused$/.test(readStatus(answer).message);
    if (refused) return { ...inside, words: 'connection refused by the pod' };
    const listens = isFromServer(answer, [pod, proxied]);
    return listens
      ? { ...inside, fault: 'no-forward', words: `${inside.words}, but kube-apiserver gets a response from the pod` }
      : unknown;
  } catch (error) {
    if (error instanceof Unreachable) return unknown;
    throw error;
  }
}

/**
 * Whether an answer of the pod proxy comes from the server. Errors of kube-apiserver name the pod
 * (k8s.io/apimachinery/pkg/api/errors/errors.go), and those of RBAC name a resource, while an
 * extension API server names the path "/". A proxy in front of kube-apiserver may answer 401, 403,
 * 429 and 5xx too.
 */
function isFromServer(answer: Answer, names: readonly string[]): boolean {
  const { message, about } = readStatus(answer);
  if (answer.status === 403) return / cannot get path "\/"/.test(message);
  return answer.status < 500 && ![401, 429].includes(answer.status) && !(about !== undefined && names.includes(about));
}
