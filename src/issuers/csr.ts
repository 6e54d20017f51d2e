import type { Issuer } from './issuer.ts';

/** A signer of the Kubernetes certificates API (certificates.k8s.io/v1). */
export const csr: Issuer<'csr'> = {};
