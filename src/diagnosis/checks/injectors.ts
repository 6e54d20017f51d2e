import type { ApiServiceView } from '../../snapshot/types.ts';

/** The annotations that make a controller inject the caBundle. */
const controllers: Readonly<Record<string, string>> = {
  'cert-manager.io/inject-ca-from': "cert-manager's cainjector",
  'cert-manager.io/inject-ca-from-secret': "cert-manager's cainjector",
  'cert-manager.io/inject-apiserver-ca': "cert-manager's cainjector",
  'service.beta.openshift.io/inject-cabundle': "OpenShift's service-ca operator",
};

/** A controller that injects the caBundle, and the annotation that requests it. */
export interface Injector {
  readonly annotation: string;
  readonly value: string;
  readonly controller: string;
}

/** The controllers that the annotations name, in the order of the table above. */
export const injectorsOf = ({ annotations }: ApiServiceView): readonly Injector[] =>
  Object.entries(controllers).flatMap(([annotation, controller]) => {
    const value = Object.hasOwn(annotations, annotation) ? annotations[annotation] : undefined;
    // OpenShift's operator requires the value true.
    return value === undefined || value === '' || value === 'false' ? [] : [{ annotation, value, controller }];
  });

/** The line of evidence for an annotation. */
export const annotationLine = ({ annotation, value }: Injector): string => `annotation ${annotation}: ${value}`;
