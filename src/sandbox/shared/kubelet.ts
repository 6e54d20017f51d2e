import type { RequestListener } from 'node:http';

/**
 * Answers the requests that kube-apiserver makes to a kubelet
 * (k8s.io/kubernetes/pkg/kubelet/server/server.go): `GET
 * /containerLogs/<namespace>/<pod>/<container>`. The caller has authorized them.
 */
export interface Kubelet {
  readonly answer: RequestListener;
}
