import { issuerFlags } from '../config/issuer-flags.ts';
import { UsageError } from '../errors.ts';
import { type Issuer, issueFrom } from './issuer.ts';

/** A CA that the user has, such as the cluster's own. Its key stays where it is. */
export const ca: Issuer<'ca'> = {
  async issue(_, request) {
    if (!request.given) {
      throw new UsageError('the issuer type is "ca", but no CA was given', { fix: `Add ${issuerFlags.ca.needed}.` });
    }
    return { issued: await issueFrom(request.given, request) };
  },
};
