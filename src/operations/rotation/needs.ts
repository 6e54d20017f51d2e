import { leaseNeeds } from '../../cluster/lease.ts';
import type { Need } from '../../cluster/status.ts';
import { secretNeeds } from '../steps/secret.ts';
import { servedNeeds } from '../steps/served.ts';
import { trustNeeds } from '../steps/trust-both.ts';
import { anyApiService, hasSecret } from './live.ts';
import { type Rotation, serviceOf } from './rotation.ts';

/** The permissions of the Lease and of all steps. */
export const rotationNeeds = (options: Pick<Rotation, 'registration' | 'kind' | 'nudge' | 'restart'>): readonly Need[] => [
  ...leaseNeeds(serviceOf(options)),
  { verb: 'list', ref: anyApiService },
  ...(options.kind === 'ca' ? trustNeeds() : []),
  ...(hasSecret(options) ? secretNeeds(options) : []),
  ...servedNeeds(options),
];
