import { ClusterError } from '../errors.ts';
import type { Cluster } from './cluster.ts';
import { Unreachable } from './faults.ts';
import type { EndpointHandshake, Handshake } from './handshake.ts';
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
 * the pod stays the answer when its address leads nowhere from here, or when kube-apiserver knows that it refuses.
 * @throws as `dial`
 */
export async function dialEndpoint(cluster: Cluster, target: EndpointTarget, signal: AbortSignal): Promise<EndpointHandshake> {
  const { pod } = target;
  if (pod === undefined) return { ...(await dial(target, signal)), via: 'address' };
  const inside = await dialPod(cluster, { ...target, pod }, signal);
  if (inside.kind === 'served' || !['refused', 'no-forward'].includes(inside.fault)) return { ...inside, via: 'pod' };
  if (inside.fault === 'refused' && (await isRefusedByAddress(cluster, { ...target, pod }, signal))) {
    return { ...inside, words: 'connection refused by the pod', via: 'pod' };
  }
  const direct = await dial(target, signal, podAddressTimeoutMs);
  const nowhere = direct.kind === 'failed' && ['timeout', 'no-route'].includes(direct.fault);
  if (nowhere) return { ...inside, via: 'pod' };
  return inside.fault === 'no-forward' ? { ...direct, via: 'address', noForward: inside.words } : { ...direct, via: 'address' };
}

/**
 * Whether kube-apiserver says that a pod's address refuses connections as well. It knows better than a connection from here, where something else may have the
 * address or answer for it. Without the right to `get pods/proxy`, or when it can't tell, this is false.
 */
async function isRefusedByAddress(cluster: Cluster, { namespace, pod, port }: PodPort, signal: AbortSignal): Promise<boolean> {
  // The name of a proxied pod says scheme and port (k8s.io/apimachinery/pkg/util/net/port_split.go); the certificate is not verified there.
  const path = `${resourcePath(subresources.podProxy, namespace, `https:${pod}:${port}`)}/`;
  try {
    const answer = await cluster.request({ path, signal, timeoutMs: podAddressTimeoutMs });
    // k8s.io/apimachinery/pkg/util/proxy/transport.go passes on the words of Go's net package.
    return answer.status === 503 && /^error trying to reach service: dial .*: connection refused$/.test(readStatus(answer).message);
  } catch (error) {
    if (error instanceof Unreachable) return false;
    throw error;
  }
}

/** `10.0.0.1:443`, `[fd00::1]:443`. */
export const formatAddress = (address: string, port: number): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
