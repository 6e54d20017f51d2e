import type { RotateRequest } from '../rotation/request.ts';
import type { Rotation } from '../rotation/rotation.ts';

/** What `rotate` is asked to do where the issuer in the cluster has the keys. */
export type RenewRequest = Omit<RotateRequest, 'issue' | 'issueNeeds' | 'key' | 'abort'>;

export type TimedRenewal = RenewRequest & Pick<Rotation, 'now' | 'renewLease'>;
