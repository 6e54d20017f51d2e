import { ClusterError } from '../errors.ts';
import type { Answer, Cluster } from './cluster.ts';
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
  /** Name of the pod behind the address, when there is one. */
  readonly pod: string | undefined;
}

const handshakeTimeoutMs = 5_000;
/** For a pod's address, which from outside the cluster mostly leads nowhere. */
const podAddressTimeoutMs = 2_000;

/**
 * Makes the TLS handshake of `handshake` with an address.
 * @throws the signal's reason when it is aborted; every other failure is part of the answer
 */
export const dial = ({ address, port, serverName }: DialTarget, signal: AbortSignal, timeoutMs = handshakeTimeoutMs): Promise<Handshake> =>
  handshake({ to: { host: address, port }, serverName, timeoutMs, signal });

/** Makes the same handshake with a pod, through kube-apiserver and the kubelet. @throws as `dial` */
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
 * Makes the handshake with one endpoint of a Service: through its pod where there is one, which works from everywhere, otherwise with its address. The address is
 * tried as well when no way leads into the pod, and when localhost there refuses: the server may be bound to the pod's address alone. What was seen of
 * the pod stays the answer when its address leads nowhere from here, or when kube-apiserver knows better.
 * @throws as `dial`
 */
export async function dialEndpoint(cluster: Cluster, target: EndpointTarget, signal: AbortSignal): Promise<EndpointHandshake> {
  const { pod } = target;
  if (pod === undefined) return { ...(await dial(target, signal)), via: 'address' };
  const inside = await dialPod(cluster, { ...target, pod }, signal);
  if (inside.kind === 'served' || !['refused', 'no-forward'].includes(inside.fault)) return { ...inside, via: 'pod' };
  const known: FailedHandshake = inside.fault === 'refused' ? await askForAddress(cluster, { ...target, pod }, inside, signal) : inside;
  if (known.fault === 'refused') return { ...known, via: 'pod' };
  const direct = await dial(target, signal, podAddressTimeoutMs);
  // After localhost in the pod refused, a refusal from here says no more; of a server that answered kube-apiserver no failure does.
  const listens = inside.fault === 'refused' && known.fault === 'no-forward';
  const silent = ['timeout', 'no-route', ...(inside.fault === 'refused' ? ['refused'] : [])];
  const nowhere = direct.kind === 'failed' && (listens || silent.includes(direct.fault));
  if (nowhere) return { ...known, via: 'pod' };
  return known.fault === 'no-forward' ? { ...direct, via: 'address', noForward: known.words } : { ...direct, via: 'address' };
}

/**
 * What is known of a server of which localhost in the pod refuses connections, when kube-apiserver is asked for the pod's address. It knows better than a connection
 * from here, where something else may have the address or answer for it. This is the one request that goes to the server itself, a GET of / without credentials.
 * @returns `refused` when the address refuses as well; `no-forward` when it answers, with whatever; `localhost-refused` when that can't be told, or
 * without the right to `get pods/proxy`
 */
async function askForAddress(cluster: Cluster, target: PodPort, inside: FailedHandshake, signal: AbortSignal): Promise<FailedHandshake> {
  const { namespace, pod, port } = target;
  // The name of a proxied pod says scheme and port (k8s.io/apimachinery/pkg/util/net/port_split.go); the certificate is not verified there.
  const proxied = `https:${pod}:${port}`;
  const untold: FailedHandshake = { ...inside, fault: 'localhost-refused' };
  try {
    const answer = await cluster.request({
      path: `${resourcePath(subresources.podProxy, namespace, proxied)}/`,
      signal,
      timeoutMs: podAddressTimeoutMs,
    });
    // k8s.io/apimachinery/pkg/util/proxy/transport.go passes on the words of Go's net package.
    const refused =
      answer.status === 503 && /^error trying to reach service: dial .*: connection refused$/.test(readStatus(answer).message);
    if (refused) return { ...inside, words: 'connection refused by the pod' };
    const listens = isOfServer(answer, [pod, proxied]);
    return listens ? { ...inside, fault: 'no-forward', words: `${inside.words}, while the pod's address answers kube-apiserver` } : untold;
  } catch (error) {
    if (error instanceof Unreachable) return untold;
    throw error;
  }
}

/**
 * Whether an answer is that of the server behind a pod's proxy. kube-apiserver speaks of the pod (k8s.io/apimachinery/pkg/api/errors/errors.go), and where RBAC
 * refuses of a resource, while a server built as it is speaks of the path "/". Whatever is in front of kube-apiserver may answer 401, 403, 429 and 5xx as well.
 */
function isOfServer(answer: Answer, names: readonly string[]): boolean {
  const { message, about } = readStatus(answer);
  if (answer.status === 403) return / cannot get path "\/"/.test(message);
  return answer.status < 500 && ![401, 429].includes(answer.status) && !(about !== undefined && names.includes(about));
}

/** Handshakes at a time: a Service may have thousands of endpoints, and every port-forward is held open by kube-apiserver and a kubelet. */
const dialsAtOnce = 32;

/** Makes the handshakes of `dialEndpoint`, 32 at a time. @returns them in the order of the targets @throws as `dial` */
export async function dialEndpoints(
  cluster: Cluster,
  targets: readonly EndpointTarget[],
  signal: AbortSignal,
): Promise<readonly EndpointHandshake[]> {
  const handshakes: EndpointHandshake[] = [];
  const rest = targets.entries();
  const work = async (): Promise<void> => {
    for (const [index, target] of rest) handshakes[index] = await dialEndpoint(cluster, target, signal);
  };
  await Promise.all(Array.from({ length: dialsAtOnce }, work));
  return handshakes;
}
