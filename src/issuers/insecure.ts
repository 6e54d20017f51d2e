import type { Issuer } from './issuer.ts';

/** No verification: there is no Secret and no caBundle. */
export const insecure: Issuer<'insecure'> = {};
