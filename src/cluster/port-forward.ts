import type { Duplex } from 'node:stream';
import { ClusterError } from '../errors.ts';
import { type Answer, type Cluster, StreamRefused } from './cluster.ts';
import { portStream } from './port-stream.ts';
import { type ObjectRef, resourcePath, subresources } from './resources.ts';
import { rbacRules, readStatus, refusal } from './status.ts';

/** One port of a pod. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

const timeoutMs = 5_000;

/**
 * Opens a stream of bytes to one port of a pod, as `kubectl port-forward` does. The kubelet connects to localhost in the network namespace of the pod, so a
 * server that is bound to another address is not found that way.
 * @returns the stream, which the signal ends too; when nobody listens there, it is destroyed with a PortForwardFault
 * @throws ClusterError when kube-apiserver or the kubelet do not forward; the signal's reason
 */
export async function forwardPort(cluster: Cluster, { namespace, pod, port }: PodPort, signal: AbortSignal): Promise<Duplex> {
  const ref = { resource: subresources.podPortForward, namespace, name: pod };
  const request = { path: resourcePath(ref.resource, namespace, pod), query: { ports: String(port) }, signal, timeoutMs };
  try {
    const socket = await cluster.webSocket(request, 'v4.channel.k8s.io');
    return await portStream(socket, { port, timeoutMs, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof StreamRefused ? notForwarded(cluster, ref, error.answer) : error;
  }
}

function notForwarded(cluster: Cluster, ref: ObjectRef, answer: Answer): ClusterError {
  const pod = `pod ${ref.namespace}/${ref.name}`;
  const { message } = readStatus(answer);
  if (answer.status === 401) return refusal(cluster, { verb: 'create', ref }, answer, new Date());
  if (answer.status === 403)
    return new ClusterError(`not allowed to port-forward to ${pod}: ${message.replace(/:\s*$/, '')}`, { fix: permission(ref, message) });
  // k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go: the request lost its Upgrade header on the way.
  const why = message === 'Upgrade request required' ? 'a proxy on the way to kube-apiserver does not pass WebSockets on' : message;
  return new ClusterError(`no port-forward to ${pod}: HTTP status ${answer.status}: ${why}`);
}

/**
 * The request is a GET, which RBAC sees as `get`; since 1.35 kube-apiserver asks for `create` as well
 * (k8s.io/kubernetes/pkg/registry/core/pod/rest/subresources.go, AuthorizePodWebsocketUpgradeCreatePermission).
 */
function permission(ref: ObjectRef, message: string): string {
  // ValidatingAdmissionPolicies and webhooks may look at CONNECT.
  if (/ denied (the )?request/.test(message))
    return 'A policy or an admission webhook of the cluster refuses it: ask whoever runs the cluster.';
  return `An RBAC rule that allows it: ${rbacRules(['get', 'create'].map((verb) => ({ verb, ref }))).join('')}`;
}
