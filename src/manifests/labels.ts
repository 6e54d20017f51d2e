import type { Registration } from '../config/schema.ts';

/** The label that names the tool that created an object (kubernetes.io, Recommended Labels). */
export const managedByLabel = 'app.kubernetes.io/managed-by';

/**
 * The selector of the Service, the Deployment and the PodDisruptionBudget. The selector of a
 * Deployment is immutable.
 */
export const podSelector = ({ metadata }: Registration): Record<string, string> => ({ 'app.kubernetes.io/name': metadata.name });

/**
 * The labels of every object except the Namespace: those of the user, then those that selectors and
 * clean-up rely on.
 */
export const objectLabels = (registration: Registration, own: Record<string, string> = {}): Record<string, string> => ({
  ...registration.metadata.labels,
  ...own,
  ...podSelector(registration),
  [managedByLabel]: 'apisvc',
});

/**
 * The labels of an object that another tool may have created: the Service and the APIServices of an
 * `existing` server. They get only the labels of the user. So no label of the other tool is
 * overwritten, and no clean-up by label deletes the objects.
 */
export const sharedLabels = (registration: Registration): Record<string, string> =>
  registration.spec.server.existing ? registration.metadata.labels : objectLabels(registration);
