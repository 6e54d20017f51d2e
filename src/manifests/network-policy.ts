import template from '../../templates/manifests/network-policy.yaml';
import type { Registration } from '../config/schema.ts';
import { metadataEdits, podSelector } from './labels.ts';
import { fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

/**
 * The NetworkPolicy of the server's pods, if configured. It restricts the directions that have
 * rules. An empty list of rules denies everything.
 */
export function networkPolicyManifests(registration: Registration): Manifest[] {
  const { metadata, spec } = registration;
  const { networkPolicy } = spec.server;
  if (networkPolicy === undefined) return [];
  const { ingress, egress } = networkPolicy;
  const policyTypes = [...(ingress ? ['Ingress'] : []), ...(egress ? ['Egress'] : [])];
  const manifest = fillTemplate(template, '052-network-policy.yaml', {
    ...metadataEdits(registration, metadata.name),
    'metadata.namespace': metadata.namespace,
    'spec.podSelector.matchLabels': podSelector(registration),
    'spec.policyTypes': policyTypes,
    'spec.ingress': ingress?.map(withProtocols),
    'spec.egress': egress?.map(withProtocols),
  });
  return [manifest];
}

type Rule = Readonly<Record<string, unknown>>;

/**
 * kube-apiserver fills in the protocol (k8s.io/kubernetes/pkg/apis/networking/v1/defaults.go).
 * Without it, `kubectl apply` would replace the list on every run.
 */
const withProtocols = (rule: Rule): Rule => (Array.isArray(rule.ports) ? { ...rule, ports: rule.ports.map(withProtocol) } : rule);

const withProtocol = (port: Rule): Rule => ({ protocol: 'TCP', ...port });
