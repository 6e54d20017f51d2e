import { createHash } from 'node:crypto';
import template from '../../templates/manifests/config-map.yaml';
import type { Registration } from '../config/schema.ts';
import { metadataEdits } from './labels.ts';
import { fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

/** The ConfigMaps with the configuration files of the server. */
export const configMapManifests = (registration: Registration): Manifest[] =>
  (registration.spec.server.configMaps ?? []).map(({ name, data }) =>
    fillTemplate(template, `041-config-map-${name}.yaml`, {
      ...metadataEdits(registration, name),
      'metadata.namespace': registration.metadata.namespace,
      data,
    }),
  );

/**
 * A pod annotation that changes with the content of the ConfigMaps. New content replaces the pods,
 * because most servers read their configuration once. The key is common in Helm charts
 * (https://helm.sh/docs/howto/charts_tips_and_tricks).
 */
export function configChecksum({ spec }: Registration): Record<string, string> {
  const { configMaps = [] } = spec.server;
  if (configMaps.length === 0) return {};
  return { 'checksum/config': createHash('sha256').update(JSON.stringify(configMaps)).digest('hex') };
}
