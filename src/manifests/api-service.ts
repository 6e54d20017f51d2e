import template from '../../templates/manifests/api-service.yaml';
import { apiServiceName } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { caBundleOf } from '../pki/anchors.ts';
import type { Issued } from '../pki/types.ts';
import { metadataEdits, sharedLabels } from './labels.ts';
import { base64 } from './secret.ts';
import { fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

/** One APIService for each group and version. Without certificates it has no caBundle. */
export function apiServiceManifests(registration: Registration, issued: Issued | undefined): Manifest[] {
  const { metadata, spec } = registration;
  return spec.apis.map((api) => {
    const name = apiServiceName(api);
    return fillTemplate(template, `070-api-service-${name}.yaml`, {
      ...metadataEdits(registration, name, { labels: sharedLabels(registration) }),
      'spec.group': api.group,
      'spec.version': api.version,
      'spec.groupPriorityMinimum': api.groupPriorityMinimum,
      'spec.versionPriority': api.versionPriority,
      'spec.service': { name: spec.service.name, namespace: metadata.namespace, port: spec.service.port },
      'spec.caBundle': issued && base64(caBundleOf(issued)),
    });
  });
}
