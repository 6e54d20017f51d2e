import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyFolder, kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { delegation } from '../harness/servers.ts';
import { serviceAccountKubeconfig } from '../harness/users.ts';
import { wardleAccess } from '../harness/wardle.ts';

/**
 * The flags of a kube-aggregator in front of the control plane. It stores its own APIServices, and
 * proxies requests with the same client certificate as kube-apiserver. Creates its ServiceAccount
 * in `namespace`.
 */
export async function aggregatorFlags(namespace: string): Promise<string[]> {
  await kubectlOk(['apply', '-f', '-'], JSON.parse(wardleAccess(namespace)));
  // It needs these to find the servers that it proxies requests to.
  const resources = '--resource=services,endpointslices.discovery.k8s.io';
  await kubectlOk(['create', 'clusterrole', `${namespace}:services`, '--verb=list,watch', resources]);
  const account = `--serviceaccount=${namespace}:apiserver`;
  await kubectlOk(['create', 'clusterrolebinding', `${namespace}:services`, `--clusterrole=${namespace}:services`, account]);
  const { serving, frontProxyClient } = cluster.files;
  const kubeconfig = await serviceAccountKubeconfig(namespace, 'apiserver');
  return [
    `--etcd-servers=${cluster.etcdUrl}`,
    `--tls-cert-file=${serving.cert}`,
    `--tls-private-key-file=${serving.key}`,
    `--proxy-client-cert-file=${frontProxyClient.cert}`,
    `--proxy-client-key-file=${frontProxyClient.key}`,
    `--kubeconfig=${kubeconfig}`,
    ...delegation(kubeconfig),
  ];
}

/** Writes a copy of the administrator's kubeconfig with another port. @returns its path */
export function kubeconfigFor(port: number): string {
  const path = join(emptyFolder(), 'kubeconfig');
  const { host } = new URL(cluster.server);
  writeFileSync(path, readFileSync(cluster.kubeconfig, 'utf8').replace(host, `${cluster.network.address}:${port}`), { mode: 0o600 });
  return path;
}

/**
 * An APIService that proxies version v1 of a group to kube-apiserver.
 * @param group - empty for the core group
 */
export const kubeApiserverApiService = (group: string) => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: `v1.${group}` },
  spec: {
    group,
    version: 'v1',
    groupPriorityMinimum: 17_000,
    versionPriority: 15,
    service: { namespace: 'default', name: 'kubernetes', port: 443 },
    caBundle: readFileSync(cluster.files.ca.cert, 'base64'),
  },
});
