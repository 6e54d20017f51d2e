import { mayUser } from '../../cluster/access.ts';
import { resources } from '../../cluster/resources.ts';
import { deniedReviews } from '../denied-reviews.ts';
import type { DelegationView, Observed } from '../types.ts';
import type { CollectContext } from './context.ts';
import { observe } from './observe.ts';
import { authenticationConfigMap } from './request-header.ts';

const creates = (resource: typeof resources.TokenReview | typeof resources.SubjectAccessReview) => ({
  verb: 'create',
  ref: { resource, namespace: undefined, name: '*' },
});

/**
 * Checks the permissions that delegated authentication and authorization need (kubernetes.io,
 * "Configure the Aggregation Layer").
 * @param serviceAccount the ServiceAccount of the server
 * @throws the reason of the signal
 */
export async function collectDelegation(
  context: CollectContext,
  namespace: string,
  serviceAccount: string,
): Promise<Observed<DelegationView>> {
  const { cluster, signal } = context;
  const account = `system:serviceaccount:${namespace}:${serviceAccount}`;
  const ask = async (): Promise<DelegationView> => {
    const [tokens, access, mayReadAuthentication] = await Promise.all([
      mayUser(cluster, account, creates(resources.TokenReview), signal),
      mayUser(cluster, account, creates(resources.SubjectAccessReview), signal),
      mayUser(cluster, account, { verb: 'get', ref: authenticationConfigMap }, signal),
    ]);
    return {
      account,
      mayReview: tokens && access,
      ...deniedReviews({ TokenReviews: tokens, SubjectAccessReviews: access }),
      mayReadAuthentication,
    };
  };
  return observe(context, ask, (view) => view);
}
