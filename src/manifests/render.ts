import type { Registration } from '../config/schema.ts';
import type { Material } from '../pki/types.ts';
import { apiServiceManifests } from './api-service.ts';
import { configMapManifests } from './config-map.ts';
import { workloadManifests } from './deployment.ts';
import { existingDeploymentManifests } from './existing-deployment.ts';
import { identityManifests, namespaceManifests } from './identity.ts';
import { networkPolicyManifests } from './network-policy.ts';
import { secretManifest } from './secret.ts';
import { endpointSliceManifests, serviceManifest } from './service.ts';
import type { Manifest } from './types.ts';

export interface RenderOptions {
  /** `omit`: no Secret object at all, for repositories and logs. */
  readonly secrets: 'include' | 'omit';
}

/**
 * Every Kubernetes object of a registration, in the order in which to apply them. Equal input gives equal bytes.
 * A server outside the cluster (`external`) gets no Secret, its key need not enter the cluster; one that someone else deploys
 * (`existing`) gets Secret, Service, APIServices and, where it is named, a part of its Deployment. Without material there is no Secret and no caBundle.
 * @throws UsageError when a Secret is wanted and the material has no private key
 */
export function renderManifests(registration: Registration, material: Material | undefined, { secrets }: RenderOptions): Manifest[] {
  const { external, existing } = registration.spec.server;
  const withSecret = material && secrets === 'include' && !external;
  return [
    ...(existing ? [] : [...namespaceManifests(registration), ...identityManifests(registration)]),
    ...(withSecret ? [secretManifest(registration, material)] : []),
    ...configMapManifests(registration),
    serviceManifest(registration),
    ...endpointSliceManifests(registration),
    ...networkPolicyManifests(registration),
    ...(external || existing ? [] : workloadManifests(registration)),
    ...existingDeploymentManifests(registration),
    ...apiServiceManifests(registration, material),
  ];
}
