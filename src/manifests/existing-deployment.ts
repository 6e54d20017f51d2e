import template from '../../templates/manifests/existing-deployment.yaml';
import { secretName } from '../config/registration.ts';
import type { Registration } from '../config/schema.ts';
import { certificateFlags } from './container.ts';
import { secretItems } from './deployment.ts';
import { fillTemplate } from './template.ts';
import type { Manifest } from './types.ts';

/**
 * The part of somebody else's Deployment that gives its server the certificate, where the configuration names one; the object must exist. It has no labels of
 * ours, so that nothing that looks for our objects by label ever finds it. `args` is given whole: under server-side apply a list of plain values
 * has one owner (k8s.io/api/core/v1/types.go, Container: `+listType=atomic`).
 */
export function existingDeploymentManifests(registration: Registration): Manifest[] {
  const { metadata, spec } = registration;
  const deployment = spec.server.existing?.deployment;
  if (!deployment) return [];
  const pod = 'spec.template.spec';
  const manifest = fillTemplate(template, '060-deployment.yaml', {
    'metadata.name': deployment.name,
    'metadata.namespace': metadata.namespace,
    [`${pod}.containers.0.name`]: deployment.container,
    [`${pod}.containers.0.args`]: [...deployment.args, ...certificateFlags(registration)],
    [`${pod}.containers.0.volumeMounts.0.mountPath`]: spec.certificates.mountPath,
    [`${pod}.volumes.0.secret.secretName`]: secretName(registration),
    [`${pod}.volumes.0.secret.items`]: secretItems(spec.certificates),
  });
  return [manifest];
}
