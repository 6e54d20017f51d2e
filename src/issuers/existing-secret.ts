import type { Issuer } from './issuer.ts';

/** A Secret that another tool writes. Only that tool knows why it is not there yet. */
export const existingSecret: Issuer<'existing-secret'> = {};
