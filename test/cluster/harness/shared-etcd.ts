import type { Document } from 'yaml';
import { kubectlOk } from './projects.ts';

/**
 * The preset of the sample API server adds an etcd to each pod. With several pods, a request would
 * reach a random store, so they share one etcd instead.
 */

/** An unused cluster IP; the clusters of these specs have no DNS. */
const address = '10.96.0.50';

const objects = (namespace: string) => ({
  apiVersion: 'v1',
  kind: 'List',
  items: [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'etcd', namespace },
      spec: { clusterIP: address, selector: { app: 'etcd' }, ports: [{ port: 2379 }] },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'etcd', namespace, labels: { app: 'etcd' } },
      spec: {
        containers: [
          {
            name: 'etcd',
            image: 'registry.k8s.io/etcd:3.7.0-0',
            args: ['--data-dir=/data/etcd', '--listen-client-urls=http://0.0.0.0:2379', `--advertise-client-urls=http://${address}:2379`],
            // Without a request, it would have no processor time while other pods start.
            resources: { requests: { cpu: '100m' } },
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
        volumes: [{ name: 'data', emptyDir: {} }],
      },
    },
  ],
});

/** Starts an etcd in a new namespace. Only one can run in a cluster. */
export const startSharedEtcd = (namespace: string): Promise<string> => kubectlOk(['apply', '-f', '-'], objects(namespace));

/** Changes a project of the preset sample-apiserver to three pods that use the etcd. */
export function shareEtcd(document: Document): void {
  document.setIn(['spec', 'server', 'replicas'], 3);
  document.setIn(['spec', 'server', 'args', 0], `--etcd-servers=http://${address}:2379`);
  // The preset deletes the old pod first, because its store is in the pod.
  for (const field of ['sidecars', 'volumes', 'strategy']) document.deleteIn(['spec', 'server', field]);
}
