import type { CatalogEntry } from './entry.ts';

/**
 * Faults of files that `apisvc lint` reads. An APIService in a cluster cannot have them, because
 * kubectl or kube-apiserver rejects them.
 */
export const manifestEntries = {
  'manifest/unreadable': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{file} cannot be read',
    cause: 'The objects in this file were not checked.',
    fix: 'Correct the path or the permissions of {file}. It must be UTF-8 text of at most 8 MiB.',
  },
  'manifest/syntax': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{file} contains a document that kubectl cannot parse',
    cause: 'The objects in this document were not checked. kubectl stops at the first document that it cannot parse.',
    fix: 'Correct the YAML or JSON in {file}:{line}.',
  },
  'manifest/template': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{file} is a template that was not rendered',
    cause: 'A tool such as Helm must fill in the values before kubectl can apply the objects. They were not checked.',
    fix: 'Render the template, and check the result. For Helm: `helm template {chart} | apisvc lint -`; for ytt: `ytt -f {dir} | apisvc lint -`',
  },
  'manifest/kustomization': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'Directory {dir} is a kustomization',
    cause: 'Its files are the input of kustomize: patches are incomplete objects. They were not checked.',
    fix: 'Check the output of kustomize: `kubectl kustomize {dir} | apisvc lint -`',
  },
  'manifest/removed-version': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The files contain objects of {apiVersion}, which Kubernetes does not serve',
    cause: 'This version was removed in Kubernetes {since}. kubectl cannot apply the objects to a newer cluster.',
    fix: 'Set apiVersion to {current} in {file}:{line}, and in every other object of this version.{needs}',
    fixes: 'Set apiVersion to {current} in {file}:{line}, and in every other object of this version.',
  },
  'manifest/workload-selector': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The files contain workloads whose selector does not match their pod template',
    cause: 'kube-apiserver rejects a workload of apps/v1 if its spec.selector is missing or does not match the labels of spec.template.',
    fix: 'In {file}:{line}, and in the other objects, set spec.selector.matchLabels to labels of spec.template. The selector of an existing workload cannot be changed: change the labels of its pod template.',
  },
  'manifest/placeholder': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{field} of APIService {name} is a placeholder: {placeholder}',
    cause: 'No tool has replaced the placeholder. {why}',
    causes: 'kube-apiserver rejects such a group or version. It accepts the name of a Service that cannot exist.',
    fix: 'Set {field} in {file}:{line}; or render the manifest before you check it',
  },
  'manifest/duplicate-key': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{field} is set twice in the manifest of {name}',
    cause: 'kubectl uses the last value and ignores the others. Other tools reject the manifest.',
    fix: 'Remove one of the values of {field} in {file}:{line}.',
  },
  'manifest/duplicate-object': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'The files contain objects of the same kind and name',
    cause: 'Only the last of these objects was checked, because it replaces the others when kubectl applies the files.',
    fix: 'Check the files of each cluster or environment in a separate run of apisvc lint. If the files belong together, remove the objects that are replaced.',
  },
  'manifest/incomplete': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The files do not contain everything that {name} depends on',
    cause: 'With --strict, it is an error if a check needs an object that the files do not contain.',
    fix: 'Pass the files with the missing objects too, or omit --strict.',
  },
  'registration/api-version': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'Kubernetes does not serve {apiVersion}',
    cause: '{why}',
    causes: 'apiregistration.k8s.io/v1beta1 was removed in Kubernetes 1.22. The only version is v1.',
    fix: 'Set apiVersion to apiregistration.k8s.io/v1 and kind to APIService in {file}:{line}. The fields are the same.',
  },
  'registration/name-missing': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'An APIService has no metadata.name',
    cause: 'kubectl and kube-apiserver reject an object without a name. The name of an APIService is <version>.<group>.',
    fix: 'Set metadata.name to {name} in {file}:{line}.',
  },
  'registration/invalid-name': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{field} of APIService {name} is not a valid name: {value}',
    cause: 'kube-apiserver rejects the APIService: {why}.',
    fix: 'Set {field} to a valid name in {file}:{line}, and metadata.name to match.',
  },
  'registration/built-in-group': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'APIService {name} takes over an API of kube-apiserver',
    cause:
      'kube-apiserver serves the group {group} itself. With this APIService, it sends all requests for {group}/{version} to the Service, even those of Kubernetes components.',
    fix: 'In {file}:{line}, set spec.group to a group of your own, and metadata.name to match.',
  },
  'registration/unknown-version': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'API group {group} has no version {version}',
    cause:
      'Kubernetes defines only {known} of this group. A server that does not serve {version} responds with 404, and the APIService is not available.',
    fix: 'In {file}:{line}, set spec.version to a version that the server serves, and metadata.name to match. Or remove the APIService.',
  },
  'registration/incomplete': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} has no {missing}',
    cause: 'kube-apiserver rejects the APIService. If the file is a patch, it is not meant to be applied alone.',
    fix: 'Set {missing} in {file}:{line}. For a patch, check the output of kustomize: `kubectl kustomize . | apisvc lint -`',
  },
  'registration/unknown-field': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} has an unknown field: {field}',
    cause: 'kubectl rejects unknown fields, unless it runs with --validate=false. kube-apiserver drops them, so they have no effect.',
    fix: 'In {file}:{line}, {action}.',
  },
  'registration/wrong-type': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{field} of APIService {name} must be {expected}, not {given}',
    cause: 'kube-apiserver cannot decode the value, and rejects the APIService.',
    fix: 'Set {field} to {expected} in {file}:{line}. In YAML, quotes make a value a string.',
  },
  'bundle/not-encoded': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of {name} is not base64',
    cause: '{why} kube-apiserver cannot decode the value, and rejects the APIService.',
    fix: "Set spec.caBundle in {file}:{line} to the output of `base64 < ca.crt | tr -d '\\n'`",
  },
  'bundle/placeholder': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of {name} is a placeholder: {placeholder}',
    cause: 'No tool has replaced the placeholder. kube-apiserver rejects the APIService, because the placeholder is not base64.',
    fix: "Set spec.caBundle in {file}:{line} to the output of `base64 < ca.crt | tr -d '\\n'`; or render the manifest before you check it",
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
