import type { Registration } from '../config/schema.ts';
import type { Issued } from '../pki/types.ts';
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
 * (`existing`) gets Secret, Service and APIServices. Without certificates there is no Secret and no caBundle.
 * @throws UsageError when a Secret is wanted and they have no private key
 */
export const renderManifests = (registration: Registration, issued: Issued | undefined, options: RenderOptions): Manifest[] => [
  ...backendManifests(registration, issued, options),
  ...apiServiceManifests(registration, issued),
];

/**
 * The same with the Secret and, for a server that someone else deploys, the part of its Deployment: only who owns single fields of an object can apply
 * that (KEP-555), and whoever reads it in a file would take it for the whole.
 * @throws as `renderManifests`
 */
export const manifestsToRegister = (registration: Registration, issued: Issued): Manifest[] => [
  ...backendManifests(registration, issued, { secrets: 'include' }),
  ...existingDeploymentManifests(registration),
  ...apiServiceManifests(registration, issued),
];

/** What the server needs before anybody is sent to it. */
function backendManifests(registration: Registration, issued: Issued | undefined, { secrets }: RenderOptions): Manifest[] {
  const { external, existing } = registration.spec.server;
  const withSecret = issued && secrets === 'include' && !external;
  return [
    ...(existing ? [] : [...namespaceManifests(registration), ...identityManifests(registration)]),
    ...(withSecret ? [secretManifest(registration, issued)] : []),
    ...configMapManifests(registration),
    serviceManifest(registration),
    ...endpointSliceManifests(registration),
    ...networkPolicyManifests(registration),
    ...(external || existing ? [] : workloadManifests(registration)),
  ];
}
