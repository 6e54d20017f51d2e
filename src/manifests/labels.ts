import type { Registration } from '../config/schema.ts';
import type { Edits } from './template.ts';

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
 * The annotation that records the project to which an object belongs. All projects apply with the
 * same field manager, so that kube-apiserver reports no conflict between two of them.
 */
export const projectAnnotation = 'apisvc.dev/registration';

/** The value of the annotation: the namespace and the name of the Registration. */
export const projectOf = ({ metadata }: Registration): string => `${metadata.namespace}/${metadata.name}`;

/**
 * The annotation of a pod template: the SHA-256 of the certificate for which a rotation restarted
 * the pods. No manifest has it.
 */
export const restartAnnotation = 'apisvc.dev/restarted-for';

/**
 * The annotation of an APIService whose CA is rotated by cert-manager: the value of
 * `cert-manager.io/inject-ca-from` before. No manifest has it.
 */
export const injectionAnnotation = 'apisvc.dev/inject-ca-from';

interface OwnMetadata {
  /** Default: `objectLabels`. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The name, the labels and the annotations of an object, for `fillTemplate`. */
export const metadataEdits = (
  registration: Registration,
  name: string,
  { labels = objectLabels(registration), annotations = {} }: OwnMetadata = {},
): Edits => ({
  'metadata.name': name,
  'metadata.labels': labels,
  'metadata.annotations': { ...annotations, [projectAnnotation]: projectOf(registration) },
});

/**
 * The labels of an object that another tool may have created: the Service and the APIServices of an
 * `existing` server. They get only the labels of the user. So no label of the other tool is
 * overwritten, and no clean-up by label deletes the objects.
 */
export const sharedLabels = (registration: Registration): Record<string, string> =>
  registration.spec.server.existing ? registration.metadata.labels : objectLabels(registration);
