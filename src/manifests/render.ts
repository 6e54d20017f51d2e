import { caSecretName } from '../config/registration.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import type { Issued } from '../pki/types.ts';
import { apiServiceManifests } from './api-service.ts';
import { type CaPair, caData, caSecretManifest } from './ca-secret.ts';
import { certManagerManifests } from './cert-manager.ts';
import { configMapManifests } from './config-map.ts';
import { workloadManifests } from './deployment.ts';
import { existingDeploymentManifests } from './existing-deployment.ts';
import { identityManifests, namespaceManifests } from './identity.ts';
import { networkPolicyManifests } from './network-policy.ts';
import { secretManifest } from './secret.ts';
import { endpointSliceManifests, serviceManifest } from './service.ts';
import type { Manifest } from './types.ts';

export interface RenderOptions {
  /** `omit` leaves the Secret out, for repositories and logs. */
  readonly secrets: 'include' | 'omit';
  /** `omit` leaves the caBundle to `register`. Default: `include` */
  readonly caBundle?: 'include' | 'omit';
}

/**
 * Every Kubernetes object of a registration, in apply order. Equal input gives equal bytes. A
 * server outside the cluster (`external`) has no Secret, because the cluster does not need its key.
 * An `existing` server has only Secret, Service and APIServices. What the issuer of the
 * registration writes itself is left out. Without certificates there is no Secret and no caBundle.
 * @throws UsageError when a Secret is requested and the private key is absent
 */
export const renderManifests = (registration: Registration, issued: Issued | undefined, options: RenderOptions): Manifest[] => [
  ...backendManifests(registration, issued, options),
  ...apiServiceManifests(registration, options.caBundle === 'omit' ? undefined : issued),
];

/**
 * The same for `register`: with the Secret, unless its key is only in the cluster, and with the
 * part of the Deployment of an `existing` server. Only server-side apply (KEP-555) can apply a
 * part; in a file it would look like the whole Deployment.
 * @param ca the CA of the project, while its private key is on disk and belongs in a Secret
 * @throws as `renderManifests`
 */
export const manifestsToRegister = (registration: Registration, issued: Issued | undefined, ca?: CaPair): Manifest[] => [
  ...backendManifests(registration, issued, { secrets: issued?.key ? 'include' : 'omit' }),
  ...caManifests(registration, ca),
  ...existingDeploymentManifests(registration),
  ...apiServiceManifests(registration, issued),
];

function caManifests(registration: Registration, ca: CaPair | undefined): Manifest[] {
  const name = caSecretName(registration);
  return ca && name !== undefined ? [caSecretManifest(registration, name, caData('current', ca))] : [];
}

/** Everything that the server needs before it is registered. */
function backendManifests(registration: Registration, issued: Issued | undefined, { secrets }: RenderOptions): Manifest[] {
  const { external, existing } = registration.spec.server;
  // Without a chain, the certificate does not exist yet.
  const withSecret = issued?.chain && secrets === 'include' && !external && responsibilitiesOf(registration).secret === 'apisvc';
  return [
    ...(existing ? [] : [...namespaceManifests(registration), ...identityManifests(registration)]),
    ...(withSecret ? [secretManifest(registration, issued)] : []),
    ...configMapManifests(registration),
    ...certManagerManifests(registration),
    serviceManifest(registration),
    ...endpointSliceManifests(registration),
    ...networkPolicyManifests(registration),
    ...(external || existing ? [] : workloadManifests(registration)),
  ];
}
