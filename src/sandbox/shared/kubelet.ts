import type { IncomingMessage, RequestListener } from 'node:http';
import type { Duplex } from 'node:stream';

/**
 * What kube-apiserver asks of a kubelet for its clients: the log of a container (`GET
 * /containerLogs/<namespace>/<pod>/<container>`) and port-forward by WebSocket
 * (`/portForward/<namespace>/<pod>?port=`, subprotocol v4.channel.k8s.io), as
 * k8s.io/kubernetes/pkg/kubelet/server/server.go serves them. Who asks has been let in before: by
 * the simulation in the same process, or by the TLS server in front of it.
 */
export interface Kubelet {
  readonly answer: RequestListener;
  readonly upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}
