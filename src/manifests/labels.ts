import type { Registration } from '../config/schema.ts';

/** What the Service, the Deployment and the PodDisruptionBudget select pods by. A Deployment's selector can never be changed. */
export const podSelector = ({ metadata }: Registration): Record<string, string> => ({ 'app.kubernetes.io/name': metadata.name });

/** The labels of every object but the Namespace: the user's, then those that the selectors and the clean-up rely on, which nothing overrides. */
export const objectLabels = (registration: Registration, own: Record<string, string> = {}): Record<string, string> => ({
  ...registration.metadata.labels,
  ...own,
  ...podSelector(registration),
  'app.kubernetes.io/managed-by': 'apisvc',
});
