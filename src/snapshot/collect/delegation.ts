import { mayUser } from '../../cluster/access.ts';
import { resources } from '../../cluster/resources.ts';
import type { DelegationView, Observed } from '../types.ts';
import { type Looking, see } from './looking.ts';
import { authenticationConfigMap } from './request-header.ts';

const creates = (resource: typeof resources.TokenReview | typeof resources.SubjectAccessReview) => ({
  verb: 'create',
  ref: { resource, namespace: undefined, name: '*' },
});

/**
 * Asks what the ServiceAccount of a server may do of that which delegated authentication and authorization need (kubernetes.io, "Configure the Aggregation Layer").
 * @throws the signal's reason
 */
export async function lookAtDelegation(looking: Looking, namespace: string, serviceAccount: string): Promise<Observed<DelegationView>> {
  const { cluster, signal } = looking;
  const account = `system:serviceaccount:${namespace}:${serviceAccount}`;
  const ask = async (): Promise<DelegationView> => {
    const [tokens, access, mayReadAuthentication] = await Promise.all([
      mayUser(cluster, account, creates(resources.TokenReview), signal),
      mayUser(cluster, account, creates(resources.SubjectAccessReview), signal),
      mayUser(cluster, account, { verb: 'get', ref: authenticationConfigMap }, signal),
    ]);
    return { account, mayReview: tokens && access, mayReadAuthentication };
  };
  return see(looking, ask, (view) => view);
}
