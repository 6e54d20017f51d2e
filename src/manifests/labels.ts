import type { Registration } from '../config/schema.ts';

/** The label that names the tool that created an object (kubernetes.io, Recommended Labels). */
export const managedByLabel = 'app.kubernetes.io/managed-by';

/** What the Service, the Deployment and the PodDisruptionBudget select pods by. A Deployment's selector can never be changed. */
export const podSelector = ({ metadata }: Registration): Record<string, string> => ({ 'app.kubernetes.io/name': metadata.name });

/** The labels of every object but the Namespace: the user's, then those that the selectors and the clean-up rely on, which nothing overrides. */
export const objectLabels = (registration: Registration, own: Record<string, string> = {}): Record<string, string> => ({
  ...registration.metadata.labels,
  ...own,
  ...podSelector(registration),
  [managedByLabel]: 'apisvc',
});

/**
 * The labels of an object that may have been there before: the Service and the APIServices of an `existing` server are most likely part of what deployed it. They
 * get the user's labels and no others, so that none of theirs is overwritten, and no clean-up by label takes the objects away from them.
 */
export const sharedLabels = (registration: Registration): Record<string, string> =>
  registration.spec.server.existing ? registration.metadata.labels : objectLabels(registration);
