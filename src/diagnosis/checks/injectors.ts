import type { ApiServiceView } from '../../snapshot/types.ts';

/** Annotations that ask a controller of the cluster to fill in the caBundle: cert-manager's cainjector, OpenShift's service CA operator. */
const controllers: Readonly<Record<string, string>> = {
  'cert-manager.io/inject-ca-from': "cert-manager's cainjector",
  'cert-manager.io/inject-ca-from-secret': "cert-manager's cainjector",
  'cert-manager.io/inject-apiserver-ca': "cert-manager's cainjector",
  'service.beta.openshift.io/inject-cabundle': "OpenShift's service CA operator",
};

/** A controller that is asked to fill in the caBundle, and the annotation that asks. */
export interface Injector {
  readonly annotation: string;
  readonly value: string;
  readonly controller: string;
}

/** Every controller that the annotations ask, in the order of the table above. */
export const injectorsOf = ({ annotations }: ApiServiceView): readonly Injector[] =>
  Object.entries(controllers).flatMap(([annotation, controller]) => {
    const value = Object.hasOwn(annotations, annotation) ? annotations[annotation] : undefined;
    // The operator of OpenShift wants the word true.
    return value === undefined || value === '' || value === 'false' ? [] : [{ annotation, value, controller }];
  });

/** The line of evidence for an annotation. */
export const annotationLine = ({ annotation, value }: Injector): string => `annotation ${annotation}: ${value}`;
