import type { Duplex } from 'node:stream';
import { ClusterError } from '../errors.ts';
import type { Answer } from './answer.ts';
import { type Cluster, StreamRefused } from './cluster.ts';
import { portStream } from './port-stream.ts';
import { type ObjectRef, resourcePath, subresources } from './resources.ts';
import { anonymousFix, rbacRule, readStatus, refusal } from './status.ts';

/** One port of a pod. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

const timeoutMs = 5_000;

/**
 * Opens a stream to one port of a pod, as `kubectl port-forward` does. The kubelet connects to
 * localhost in the network namespace of the pod, so it does not reach a server that listens on
 * another address.
 * @returns the stream; the signal ends it, and a refused connection destroys it with a
 * PortForwardFault
 * @throws ClusterError when kube-apiserver or the kubelet does not forward; the reason of the
 * signal
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
    return new ClusterError(`not allowed to port-forward to ${pod}: ${message.replace(/:\s*$/, '')}`, {
      fix: anonymousFix(cluster, message) ?? permission(ref, message),
    });
  // The request arrived without its Upgrade header
  // (k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go).
  const why = message === 'Upgrade request required' ? 'a proxy in front of kube-apiserver does not forward WebSockets' : message;
  return new ClusterError(`failed to port-forward to ${pod}: HTTP status ${answer.status}: ${why}`);
}

/**
 * The least RBAC rule. The request is a GET, so RBAC checks `get`; since 1.35 kube-apiserver also
 * checks `create` (k8s.io/kubernetes/pkg/registry/core/pod/rest/subresources.go,
 * AuthorizePodWebsocketUpgradeCreatePermission).
 */
function permission(ref: ObjectRef, message: string): string {
  // Admission policies and webhooks may refuse CONNECT.
  if (/ denied (the )?request/.test(message))
    return 'A policy or an admission webhook denied the request. Ask a cluster administrator to allow it.';
  return `Grant this RBAC rule: ${rbacRule(ref, 'get', 'create')}`;
}
