import namespaceTemplate from '../../templates/manifests/namespace.yaml';
import authReader from '../../templates/monitor/auth-reader.yaml';
import clusterRole from '../../templates/monitor/cluster-role.yaml';
import clusterRoleBinding from '../../templates/monitor/cluster-role-binding.yaml';
import deployment from '../../templates/monitor/deployment.yaml';
import networkPolicy from '../../templates/monitor/network-policy.yaml';
import prometheusRule from '../../templates/monitor/prometheus-rule.yaml';
import service from '../../templates/monitor/service.yaml';
import serviceAccount from '../../templates/monitor/service-account.yaml';
import serviceMonitor from '../../templates/monitor/service-monitor.yaml';
import { fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

export interface MonitorSettings {
  readonly namespace: string;
  readonly image: string;
  /** The rules of its ClusterRole, as JSON. */
  readonly rules: readonly object[];
}

/**
 * Every object of a monitor in the cluster, in apply order. Those of the Prometheus Operator come
 * last, because the cluster may lack their kinds.
 */
export function monitorManifests({ namespace, image, rules }: MonitorSettings): readonly Manifest[] {
  const own = { 'metadata.namespace': namespace };
  // Like other objects without a namespace, so that two monitors do not share a binding.
  const role = `${namespace}:apisvc-monitor`;
  const bound = { 'metadata.name': role, 'subjects.0.namespace': namespace };
  return [
    fillTemplate(namespaceTemplate, '010-namespace.yaml', { 'metadata.name': namespace }),
    fillTemplate(serviceAccount, '020-service-account.yaml', own),
    fillTemplate(clusterRole, '030-cluster-role.yaml', { 'metadata.name': role, rules }),
    fillTemplate(clusterRoleBinding, '031-cluster-role-binding.yaml', { ...bound, 'roleRef.name': role }),
    fillTemplate(authReader, '033-auth-reader.yaml', bound),
    fillTemplate(service, '050-service.yaml', own),
    fillTemplate(networkPolicy, '052-network-policy.yaml', own),
    fillTemplate(deployment, '060-deployment.yaml', { ...own, 'spec.template.spec.containers.0.image': image }),
    fillTemplate(serviceMonitor, '090-service-monitor.yaml', own),
    fillTemplate(prometheusRule, '091-prometheus-rule.yaml', own),
  ];
}
