import template from '../../templates/manifests/api-service.yaml';
import { apiServiceName } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import type { Material } from '../pki/types.ts';
import { sharedLabels } from './labels.ts';
import { base64 } from './secret.ts';
import { fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

/** One APIService per group and version, all to the same Service, with the CA in `caBundle`; without material there is none. */
export function apiServiceManifests(registration: Registration, material: Material | undefined): Manifest[] {
  const { metadata, spec } = registration;
  return spec.apis.map((api) => {
    const name = apiServiceName(api);
    return fillTemplate(template, `070-api-service-${name}.yaml`, {
      'metadata.name': name,
      'metadata.labels': sharedLabels(registration),
      'spec.group': api.group,
      'spec.version': api.version,
      'spec.groupPriorityMinimum': api.groupPriorityMinimum,
      'spec.versionPriority': api.versionPriority,
      'spec.service': { name: spec.service.name, namespace: metadata.namespace, port: spec.service.port },
      'spec.caBundle': material && base64(material.caBundle),
    });
  });
}
