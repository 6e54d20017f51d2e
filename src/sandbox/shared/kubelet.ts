import type { IncomingMessage, RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * The requests that kube-apiserver makes to a kubelet
 * (k8s.io/kubernetes/pkg/kubelet/server/server.go): `GET
 * /containerLogs/<namespace>/<pod>/<container>`, and a WebSocket with the subprotocol
 * v4.channel.k8s.io to `/portForward/<namespace>/<pod>?port=`. The caller has authorized them.
 */
export interface Kubelet {
  readonly answer: RequestListener;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}
