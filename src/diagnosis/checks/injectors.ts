import { certManagerAnnotations } from '../../manifests/cert-manager-annotations.ts';
import type { ObjectField } from '../../snapshot/offline/objects.ts';
import type { ApiServiceView } from '../../snapshot/types.ts';

/** The annotations that make a controller inject the caBundle. */
const controllers: Readonly<Record<string, string>> = {
  [certManagerAnnotations.fromCertificate]: "cert-manager's cainjector",
  [certManagerAnnotations.fromSecret]: "cert-manager's cainjector",
  [certManagerAnnotations.fromApiServer]: "cert-manager's cainjector",
  'service.beta.openshift.io/inject-cabundle': "OpenShift's service-ca operator",
  'service.alpha.openshift.io/inject-cabundle': "OpenShift's service-ca operator",
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

/** Annotations that cert-manager no longer reads since 0.11 (2019), and what replaces them. */
const outdated: Readonly<Record<string, string>> = {
  'certmanager.k8s.io/inject-ca-from': certManagerAnnotations.fromCertificate,
  'certmanager.k8s.io/inject-apiserver-ca': certManagerAnnotations.fromApiServer,
};

/** An annotation that no controller reads. */
interface OutdatedAnnotation extends Omit<Injector, 'controller'> {
  readonly replacement: string;
}

export const outdatedAnnotation = ({ annotations }: ApiServiceView): OutdatedAnnotation | undefined =>
  Object.entries(outdated).flatMap(([annotation, replacement]) => {
    const value = Object.hasOwn(annotations, annotation) ? annotations[annotation] : undefined;
    return value ? [{ annotation, value, replacement }] : [];
  })[0];

/** An annotation of the APIService. */
export const aboutAnnotation = ({ name }: ApiServiceView, annotation: string): ObjectField => ({
  kind: 'APIService',
  name,
  path: ['metadata', 'annotations', annotation],
});

/** The line of evidence for an annotation. */
export const annotationLine = ({ annotation, value }: Omit<Injector, 'controller'>): string => `annotation ${annotation}: ${value}`;
