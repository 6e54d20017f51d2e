import type { Need } from '../cluster/status.ts';

/** With --as, the checks at the end report that the user may not list. */
export const listNeeds = (groups: readonly string[]): readonly Need[] =>
  [...new Set(groups)].map((group) => ({
    verb: 'list',
    ref: { resource: { apiVersion: `${group}/*`, kind: '*', plural: '*', namespaced: false }, namespace: undefined, name: '*' },
    optional: true,
  }));
