import template from '../../templates/manifests/network-policy.yaml';
import type { Registration } from '../config/schema.ts';
import { objectLabels, podSelector } from './labels.ts';
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
    'metadata.name': metadata.name,
    'metadata.namespace': metadata.namespace,
    'metadata.labels': objectLabels(registration),
    'spec.podSelector.matchLabels': podSelector(registration),
    'spec.policyTypes': policyTypes,
    'spec.ingress': ingress,
    'spec.egress': egress,
  });
  return [manifest];
}
