import template from '../../templates/manifests/existing-deployment.yaml';
import { secretName } from '../config/registration.ts';
import { hasServingSecret } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { changeArguments } from './arguments.ts';
import { certificateFlags } from './container.ts';
import { secretItems } from './deployment.ts';
import { metadataEdits } from './labels.ts';
import { fillTemplate } from './template.ts';
import type { KubeObject, Manifest } from './types.ts';

const pod = 'spec.template.spec';

/**
 * The fields of an existing Deployment that give its server the certificate, if the registration
 * names one. The Deployment gets no label of apisvc, so that nothing finds it by label.
 * `withArguments` completes it with the arguments of the container.
 */
export function existingDeploymentManifests(registration: Registration): Manifest[] {
  const { metadata, spec } = registration;
  const deployment = spec.server.existing?.deployment;
  if (!deployment) return [];
  const manifest = fillTemplate(template, '060-deployment.yaml', {
    ...metadataEdits(registration, deployment.name, { labels: {} }),
    'metadata.namespace': metadata.namespace,
    [`${pod}.containers.0.name`]: deployment.container,
    ...(hasServingSecret(registration)
      ? {
          [`${pod}.containers.0.volumeMounts.0.mountPath`]: spec.certificates.mountPath,
          [`${pod}.volumes.0.secret.secretName`]: secretName(registration),
          [`${pod}.volumes.0.secret.items`]: secretItems(registration),
        }
      : { [`${pod}.containers.0.volumeMounts`]: undefined, [`${pod}.volumes`]: undefined }),
  });
  return [manifest];
}

/**
 * Adds the arguments of the container: those that it has in the cluster, with the changes of the
 * registration and the certificate flags. Under server-side apply the list has one owner and is
 * applied as a whole (k8s.io/api/core/v1/types.go, Container: `+listType=atomic`).
 * @param part what `existingDeploymentManifests` made
 * @param present the arguments in the cluster
 */
export function withArguments(part: KubeObject, registration: Registration, present: readonly string[]): KubeObject {
  const { add, replace } = registration.spec.server.existing?.deployment?.args ?? { add: [], replace: [] };
  const args = changeArguments(present, { add, replace, set: certificateFlags(registration) });
  // An empty list would be an owned field that differs from the absent one on every run.
  if (args.length === 0) return part;
  // biome-ignore lint/suspicious/noExplicitAny: made from the template above.
  const { spec } = part as any;
  const { containers, ...rest } = spec.template.spec;
  const [container] = containers;
  return { ...part, spec: { ...spec, template: { ...spec.template, spec: { ...rest, containers: [{ ...container, args }] } } } };
}
