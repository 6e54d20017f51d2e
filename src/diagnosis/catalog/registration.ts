import type { CatalogEntry } from './entry.ts';

/** The APIService object itself. */
export const registrationEntries = {
  'registration/missing': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'there is no APIService {name}',
    cause: 'The group and version were never registered in this cluster, or the registration was deleted.',
    fix: 'kubectl get apiservices lists the names that there are; apisvc register registers a project.',
  },
  'registration/name-mismatch': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'the APIService {name} is not named <version>.<group> of its spec ({expected})',
    cause: 'kube-apiserver accepts no other name (kube-aggregator pkg/apis/apiregistration/validation).',
    fix: 'Set metadata.name to {expected}, or correct spec.group and spec.version.',
  },
  'registration/insecure-with-bundle': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} has both insecureSkipTLSVerify and a caBundle',
    cause: 'kube-apiserver rejects the two together: one says not to verify, the other what to verify with.',
    fix: 'Remove insecureSkipTLSVerify; the caBundle then counts.',
  },
  'registration/priority-out-of-range': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'a priority of {name} is outside its range',
    cause: 'groupPriorityMinimum must be 1 to 20000 and versionPriority 1 to 1000; kube-apiserver rejects anything else.',
    fix: 'Set groupPriorityMinimum to 1000 and versionPriority to 15, as an ordinary extension has.',
  },
  'registration/service-incomplete': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'spec.service of {name} is not complete',
    cause: 'kube-apiserver wants the namespace and name of the Service, and a port of 1 to 65535 where it is not 443.',
    fix: 'Complete spec.service of the APIService.',
  },
  'registration/local-with-trust': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} points at no Service, yet says how to trust one',
    cause:
      'Without spec.service an APIService is Local: kube-apiserver serves it itself, and rejects a caBundle or insecureSkipTLSVerify there.',
    fix: 'Add spec.service, or remove caBundle and insecureSkipTLSVerify.',
  },
  'registration/automanaged-label': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} carries the label of the APIServices that kube-apiserver manages itself',
    cause:
      'Its autoregister controller deletes or overwrites an APIService with the label kube-aggregator.kubernetes.io/automanaged, at the latest when kube-apiserver starts again. It was most likely copied from another object.',
    fix: '`kubectl label apiservice {name} kube-aggregator.kubernetes.io/automanaged-`',
  },
  'registration/two-injectors': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'two controllers fill in the caBundle of {name}',
    cause: 'Each annotation asks another controller for its own CA; they overwrite each other, and the one that writes last wins.',
    fix: '`kubectl annotate apiservice {name} {annotation}-`',
  },
  'registration/injector-blocked': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{injector} can not fill in the caBundle of {name}: insecureSkipTLSVerify is true',
    cause:
      'kube-apiserver rejects a caBundle together with insecureSkipTLSVerify, so what the annotation asks for fails every time, and nothing is verified.',
    fix: '`kubectl patch apiservice {name} --type=merge -p \'{"spec":{"insecureSkipTLSVerify":null}}\'`',
  },
  'registration/hides-custom-resources': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{group}/{version} hides the custom resources of {crds}',
    cause:
      'kube-apiserver sends every request for a group and version to one place, and this APIService says that it is Service {namespace}/{service}. The custom resources are there and nobody gets at them; namespaces that hold some can not be deleted.',
    fix: 'Give the API or the custom resources another group or version. Where the custom resources are of no use any more, deleting their CustomResourceDefinition deletes all of them.',
  },
  'registration/priority-too-high': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'the group {group} has an unusually high priority ({priority})',
    cause:
      'Clients prefer groups of higher priority where two have a resource of the same name. Kubernetes recommends at most the 2000s for anything that is not *.k8s.io (kube-aggregator types.go, GroupPriorityMinimum); custom resources have 1000.',
    fix: '`kubectl patch apiservice {name} --type=merge -p \'{"spec":{"groupPriorityMinimum":1000}}\'`',
    explainedBy: ['registration/shadows-group', 'registration/priority-out-of-range'],
  },
  'registration/shadows-group': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{group} hides {resources}',
    cause:
      'Its priority is above that of a group of Kubernetes which has a resource of the same name, so clients that are given the name alone take the one in {group}: kubectl get {resource} does not show {full}.',
    fix: '`kubectl patch apiservice {name} --type=merge -p \'{"spec":{"groupPriorityMinimum":1000}}\'`',
    explainedBy: ['registration/priority-out-of-range'],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
