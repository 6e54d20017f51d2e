import template from '../../templates/manifests/api-service.yaml';
import { apiServiceName } from '../config/registration.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { caBundleOf } from '../pki/anchors.ts';
import type { Issued } from '../pki/types.ts';
import { apiServiceAnnotations, verificationEdits } from './issuer-fields.ts';
import { metadataEdits, sharedLabels } from './labels.ts';
import { base64 } from './secret.ts';
import { fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

/**
 * One APIService for each group and version. Without certificates it has no caBundle, and neither
 * where others write it.
 */
export function apiServiceManifests(registration: Registration, issued: Issued | undefined): Manifest[] {
  const { metadata, spec } = registration;
  const own = responsibilitiesOf(registration).caBundle === 'apisvc' && issued && issued.anchors.length > 0 ? issued : undefined;
  return spec.apis.map((api) => {
    const name = apiServiceName(api);
    return fillTemplate(template, `070-api-service-${name}.yaml`, {
      ...metadataEdits(registration, name, {
        labels: sharedLabels(registration),
        annotations: apiServiceAnnotations(registration),
      }),
      'spec.group': api.group,
      'spec.version': api.version,
      'spec.groupPriorityMinimum': api.groupPriorityMinimum,
      'spec.versionPriority': api.versionPriority,
      'spec.service': { name: spec.service.name, namespace: metadata.namespace, port: spec.service.port },
      ...verificationEdits(registration),
      'spec.caBundle': own && base64(caBundleOf(own)),
    });
  });
}
