import type { CatalogEntry } from './entry.ts';

/** The APIService object itself. */
export const registrationEntries = {
  'registration/missing': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} does not exist',
    cause: 'The API was never registered in this cluster, or its APIService was deleted.',
    fix: 'List the existing names: `kubectl get apiservices`; or register the API of a project: `apisvc register`',
  },
  'registration/name-mismatch': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The name of APIService {name} does not match its spec: expected {expected}',
    cause:
      'The name must be <version>.<group>, as in the spec. kube-apiserver rejects any other (kube-aggregator pkg/apis/apiregistration/validation).',
    fix: 'Set metadata.name to {expected}, or correct spec.group and spec.version.',
  },
  'registration/insecure-with-bundle': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} has both insecureSkipTLSVerify and a caBundle',
    cause: 'The two fields are mutually exclusive. kube-apiserver rejects an APIService with both.',
    fix: 'Remove insecureSkipTLSVerify and keep the caBundle.',
  },
  'registration/priority-out-of-range': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'A priority of {name} is out of range',
    cause: 'groupPriorityMinimum must be between 1 and 20000, and versionPriority between 1 and 1000. kube-apiserver rejects other values.',
    fix: 'Set groupPriorityMinimum to 1000 and versionPriority to 15, the usual values for an extension API.',
  },
  'registration/service-incomplete': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'spec.service of {name} is incomplete',
    cause: 'kube-apiserver requires the namespace and the name of the Service. The port is optional; it must be between 1 and 65535.',
    fix: 'Complete spec.service of the APIService.',
  },
  'registration/local-with-trust': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} has a caBundle or insecureSkipTLSVerify, but no Service',
    cause: 'An APIService without spec.service is Local: kube-apiserver serves it itself, and rejects caBundle and insecureSkipTLSVerify.',
    fix: 'Add spec.service, or remove caBundle and insecureSkipTLSVerify.',
  },
  'registration/automanaged-label': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} has the label that marks APIServices managed by kube-apiserver',
    cause:
      "kube-apiserver's autoregister controller deletes or overwrites APIServices with the label kube-aggregator.kubernetes.io/automanaged. It does so immediately, or when kube-apiserver restarts. The label was probably copied from a different APIService.",
    fix: '`kubectl label apiservice {name} kube-aggregator.kubernetes.io/automanaged-`',
  },
  'registration/two-injectors': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'Two controllers inject the caBundle of {name}',
    cause: 'Each annotation makes a different controller inject its own CA. The controllers overwrite each other.',
    fix: 'Keep one annotation, and remove the other: `kubectl annotate apiservice {name} {annotation}-`',
  },
  'registration/injector-blocked': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{injector} fails to inject the caBundle of {name}: insecureSkipTLSVerify is true',
    cause:
      'kube-apiserver rejects a caBundle together with insecureSkipTLSVerify. The injection fails every time, and kube-apiserver does not verify the serving certificate.',
    fix: '`kubectl patch apiservice {name} --type=merge -p \'{"spec":{"insecureSkipTLSVerify":null}}\'`',
  },
  'registration/hides-custom-resources': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{group}/{version} hides the custom resources of {crds}',
    cause:
      'kube-apiserver sends all requests for {group}/{version} to Service {namespace}/{service}. The custom resources still exist, but no client can read them. A namespace that contains such resources cannot be deleted.',
    fix: 'Move the API or the custom resources to a different group or version. If the custom resources are obsolete, delete their CustomResourceDefinition, which also deletes them.',
  },
  'registration/priority-too-high': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'Group {group} has an unusually high priority ({priority})',
    cause:
      'If two groups have a resource of the same name, clients prefer the group with the higher priority. Kubernetes recommends values up to the 2000s for groups outside *.k8s.io (kube-aggregator types.go, GroupPriorityMinimum). Custom resources have 1000.',
    fix: '`kubectl patch apiservice {name} --type=merge -p \'{"spec":{"groupPriorityMinimum":1000}}\'`',
    explainedBy: ['registration/shadows-group', 'registration/priority-out-of-range'],
  },
  'registration/shadows-group': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'Group {group} takes precedence over {resources}',
    cause:
      'The group has a higher priority than a built-in group with a resource of the same name. `kubectl get {resource}` shows the resource of {group} instead of {full}.',
    fix: '`kubectl patch apiservice {name} --type=merge -p \'{"spec":{"groupPriorityMinimum":1000}}\'`',
    explainedBy: ['registration/priority-out-of-range'],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
