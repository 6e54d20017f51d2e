import type { DelegationView } from './types.ts';

type Review = NonNullable<DelegationView['deniedReviews']>[number];

/** The reviews that a server may not create. */
export function deniedReviews(allowed: Readonly<Record<Review, boolean>>): Pick<DelegationView, 'deniedReviews'> {
  const denied = (['TokenReviews', 'SubjectAccessReviews'] as const).filter((review) => !allowed[review]);
  return denied.length > 0 ? { deniedReviews: denied } : {};
}
