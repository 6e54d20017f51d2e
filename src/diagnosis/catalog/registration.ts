import type { CatalogEntry } from './entry.ts';

/** The APIService object itself. */
export const registrationEntries = {
  'registration/missing': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} does not exist',
    cause: 'The API was never registered in this cluster, or its APIService was deleted.',
    fix: 'List the APIServices of the cluster{didYouMean}: `kubectl get apiservices`. In an apisvc project, register the API: `apisvc register`',
    fixes: 'List the APIServices of the cluster: `kubectl get apiservices`. In an apisvc project, register the API: `apisvc register`',
  },
  'registration/deleting': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} is being deleted',
    cause:
      'The APIService was deleted, but it still has finalizers. When their controllers have removed all finalizers, the APIService no longer exists, and the API stops working.',
    fix: 'List the finalizers: `kubectl get apiservice {name} -o jsonpath={.metadata.finalizers}`. Then check that the controllers of the finalizers are running. If the API is still needed, register it again after the deletion.',
  },
  'registration/name-mismatch': {
    severity: 'error',
    hop: 'kube-apiserver',
    field: ['metadata', 'name'],
    title: 'The name of APIService {name} does not match its spec: expected {expected}',
    cause:
      'The name of an APIService must be <version>.<group>, where version and group are spec.version and spec.group. kube-apiserver rejects any other name.',
    fix: 'Set metadata.name to {expected}, or correct spec.group and spec.version.',
    fileFix: 'Set metadata.name to {expected} in {file}:{line}, or correct spec.group and spec.version.',
  },
  'registration/insecure-with-bundle': {
    severity: 'error',
    hop: 'kube-apiserver',
    field: ['spec', 'insecureSkipTLSVerify'],
    title: 'APIService {name} has both insecureSkipTLSVerify and a caBundle',
    cause: 'The fields insecureSkipTLSVerify and caBundle are mutually exclusive. kube-apiserver rejects an APIService with both.',
    fix: 'Remove spec.insecureSkipTLSVerify, and keep spec.caBundle.',
    fileFix: 'Remove insecureSkipTLSVerify in {file}:{line}, and keep the caBundle.',
  },
  'registration/priority-out-of-range': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'A priority of APIService {name} is out of range',
    cause: 'groupPriorityMinimum must be between 1 and 20000, and versionPriority between 1 and 1000. kube-apiserver rejects other values.',
    fix: 'Set groupPriorityMinimum to 1000 and versionPriority to 15, the usual values for an extension API.',
  },
  'registration/service-incomplete': {
    severity: 'error',
    hop: 'kube-apiserver',
    field: ['spec', 'service'],
    title: 'spec.service of APIService {name} is incomplete or invalid',
    cause: 'kube-apiserver requires the namespace and the name of the Service. The port is optional, and must be between 1 and 65535.',
    fix: 'In spec.service of the APIService, set namespace and name. Set port to a number from 1 to 65535, or remove it to use port 443.',
  },
  'registration/local-with-trust': {
    severity: 'error',
    hop: 'kube-apiserver',
    field: ['spec'],
    title: 'APIService {name} has a caBundle or insecureSkipTLSVerify, but no Service',
    cause:
      'If an APIService has no spec.service, kube-apiserver itself serves the API. kube-apiserver rejects such an APIService if it sets caBundle or insecureSkipTLSVerify.',
    fix: 'Add spec.service to the APIService, or remove caBundle and insecureSkipTLSVerify.',
  },
  'registration/automanaged-label': {
    severity: 'error',
    hop: 'kube-apiserver',
    field: ['metadata', 'labels', 'kube-aggregator.kubernetes.io/automanaged'],
    title: 'APIService {name} has the label kube-aggregator.kubernetes.io/automanaged',
    cause:
      "kube-apiserver's autoregister controller deletes or overwrites APIServices with the label kube-aggregator.kubernetes.io/automanaged. It does so immediately, or when kube-apiserver restarts. The label was probably copied from a different APIService.",
    fix: 'Remove the label: `kubectl label apiservice {name} kube-aggregator.kubernetes.io/automanaged-`',
    fileFix: 'Remove the label kube-aggregator.kubernetes.io/automanaged in {file}:{line}.',
  },
  'registration/two-injectors': {
    severity: 'warning',
    hop: 'kube-apiserver',
    field: ['metadata', 'annotations'],
    title: 'Two controllers inject the caBundle of APIService {name}',
    cause:
      'The annotations of the APIService request injection from two controllers. Each controller overwrites the CA that the other injected.',
    fix: 'Choose one of the two controllers, and remove the annotation of the other, for example: `kubectl annotate apiservice {name} {annotation}-`',
    fileFix: 'Remove one of the two annotations, for example {annotation} in {file}:{line}.',
  },
  'registration/injector-blocked': {
    severity: 'warning',
    hop: 'kube-apiserver',
    field: ['spec', 'insecureSkipTLSVerify'],
    title: '{injector} cannot inject a caBundle into APIService {name}, because insecureSkipTLSVerify is true',
    cause:
      'kube-apiserver rejects an APIService with both caBundle and insecureSkipTLSVerify, so every injection fails. Because of insecureSkipTLSVerify, kube-apiserver does not verify the serving certificate.',
    fix: 'Remove insecureSkipTLSVerify: `kubectl patch apiservice {name} --type=merge -p \'{"spec":{"insecureSkipTLSVerify":null}}\'`',
    fileFix: 'Remove insecureSkipTLSVerify in {file}:{line}.',
  },
  'registration/outdated-annotation': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} has the outdated annotation {annotation}, which no controller reads',
    cause:
      'Since version 0.11 (2019), cert-manager reads only annotations with the prefix cert-manager.io/. No controller injects the caBundle, so kube-apiserver does not trust the serving certificate.',
    fix: 'Replace the annotation: `kubectl annotate apiservice {name} {annotation}- {replacement}={value}`',
    fileFix: 'Replace the annotation {annotation} with {replacement} in {file}:{line}.',
  },
  'registration/other-service': {
    severity: 'warning',
    differs: true,
    hop: 'kube-apiserver',
    title: 'APIService {name} points at Service {used}, but apisvc.yaml names Service {wanted}',
    cause:
      'metadata.namespace or spec.service.name in apisvc.yaml was changed after the API was registered, or someone else registered the API. `apisvc register` does not move an API to another Service.',
    fix: 'If someone else owns the API in the cluster, use a different API group. Otherwise, revert the change in apisvc.yaml. To move the API to Service {wanted} instead, delete the APIService and register the API again. The API is unavailable until it is registered again: `kubectl delete apiservice {name} && apisvc register`',
  },
  'registration/bundle-manager': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'Another field manager also owns the caBundle of APIService {name}: {manager}',
    cause:
      '{manager} also sets the caBundle, and would overwrite a new caBundle with the old value. Therefore, `apisvc rotate --ca` refuses to change the caBundle.',
    fix: 'Make apisvc an owner of the caBundle, so that the field is not removed: `apisvc register --only apiservices`. Then remove the caBundle from the manifests that {manager} applies: `apisvc render --secrets omit --ca-bundle omit`. With Argo CD, set the sync option ServerSideApply=true before you change the manifests. Otherwise, Argo CD removes the caBundle from the APIService. With Helm, set the value caBundle to an empty string instead.',
  },
  'registration/hides-custom-resources': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'APIService {name} hides the custom resources of CustomResourceDefinition {crds}',
    cause:
      'kube-apiserver sends all requests for {group}/{version} to Service {namespace}/{service}. The custom resources still exist, but no client can read them. A namespace that contains such resources cannot be deleted.',
    fix: 'Move the API or the custom resources to a different group or version. If the custom resources are obsolete, delete their CustomResourceDefinition. This also deletes the custom resources.',
  },
  'registration/priority-too-high': {
    severity: 'warning',
    hop: 'kube-apiserver',
    field: ['spec', 'groupPriorityMinimum'],
    title: 'API group {group} has an unusually high priority ({priority})',
    cause:
      'If two groups have a resource with the same name, clients prefer the group with the higher priority. Kubernetes recommends a priority below 3000 for groups outside *.k8s.io. The groups of custom resources have priority 1000.',
    fix: 'Lower the priority to 1000: `kubectl patch apiservice {name} --type=merge -p \'{"spec":{"groupPriorityMinimum":1000}}\'`',
    fileFix: 'Set spec.groupPriorityMinimum to 1000 in {file}:{line}.',
    explainedBy: ['registration/shadows-group', 'registration/priority-out-of-range'],
  },
  'registration/shadows-group': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'API group {group} takes precedence over the built-in {resources}',
    cause:
      'API group {group} has a higher priority than a built-in group that has a resource with the same name. `kubectl get {resource}` shows the resource of {group} instead of {full}.',
    fix: 'Lower the priority to 1000: `kubectl patch apiservice {name} --type=merge -p \'{"spec":{"groupPriorityMinimum":1000}}\'`',
    explainedBy: ['registration/priority-out-of-range'],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
