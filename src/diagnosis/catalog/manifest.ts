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
    cause: 'The file does not exist, is not accessible, or is not UTF-8 text of at most 8 MiB. apisvc did not check its objects.',
    fix: 'Correct the path or the permissions of {file}. The file must be UTF-8 text of at most 8 MiB.',
  },
  'manifest/syntax': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{file} contains a document that kubectl cannot parse',
    cause:
      'The YAML or JSON of the document is invalid, so apisvc did not check its objects. kubectl stops at the first document that it cannot parse.',
    fix: 'Correct the YAML or JSON in {file}:{line}.',
  },
  'manifest/template': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{file} is a template that was not rendered',
    cause: 'kubectl cannot apply a template. A tool such as Helm must render it first. apisvc did not check the objects in the template.',
    fix: 'Render the template, and check the output. With Helm: `helm template {chart} | apisvc lint -`. With ytt: `ytt -f {dir} | apisvc lint -`',
  },
  'manifest/kustomization': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'Directory {dir} is a kustomization',
    cause:
      'The files in the directory are the input of kustomize, which can contain incomplete objects such as patches. apisvc did not check these files.',
    fix: 'Check the output of kustomize: `kubectl kustomize {dir} | apisvc lint -`',
  },
  'manifest/removed-version': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The files contain objects of {apiVersion}, which Kubernetes no longer serves',
    cause:
      'Kubernetes {since} removed the kinds of these objects from {apiVersion}. kubectl cannot apply the objects to a cluster of version {since} or newer.',
    fix: 'Set apiVersion to {current} in {file}:{line}, and in every other object of this version.{needs}',
    fixes: 'Set apiVersion to {current} in {file}:{line}, and in every other object of this version.',
  },
  'manifest/workload-selector': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The files contain workloads whose selector does not match their pod template',
    cause: 'kube-apiserver rejects an apps/v1 workload if its spec.selector is missing or does not match the labels of spec.template.',
    fix: 'In {file}:{line}, and in the other affected objects, set spec.selector.matchLabels to labels of the pod template. The selector of an existing workload is immutable. For such a workload, change the labels of the pod template instead.',
  },
  'manifest/placeholder': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{field} of APIService {name} is a placeholder: {placeholder}',
    cause: 'No tool has replaced the placeholder. {why}',
    causes:
      'No tool has replaced the placeholder. kube-apiserver rejects a placeholder in spec.group or spec.version. It accepts a placeholder in spec.service, but no Service can have this name.',
    fix: 'Set {field} in {file}:{line}, or render the manifest before you check it.',
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
    title: 'The files contain several objects of the same kind and name',
    cause: 'Only the last of these objects was checked, because it replaces the others when kubectl applies the files.',
    fix: 'Run apisvc lint separately for the files of each cluster or environment. If the files belong together, remove the duplicate objects.',
  },
  'manifest/incomplete': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The files do not contain everything that {name} depends on',
    cause: 'With --strict, it is an error if a check needs an object that the files do not contain.',
    fix: 'Also pass the files that contain the missing objects, or omit --strict.',
  },
  'registration/api-version': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'Kubernetes does not serve {apiVersion}',
    cause: '{why}',
    causes: 'apiregistration.k8s.io/v1beta1 was removed in Kubernetes 1.22. The only version is v1.',
    fix: 'Set apiVersion to apiregistration.k8s.io/v1 and kind to APIService in {file}:{line}. The other fields do not change.',
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
    causes:
      'kube-apiserver rejects the APIService. spec.group must be a lowercase RFC 1123 subdomain, and spec.version must be a DNS-1035 label.',
    fix: 'In {file}:{line}, set {field} to a valid name, and set metadata.name to <version>.<group>.',
  },
  'registration/built-in-group': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'APIService {name} takes over a built-in API of kube-apiserver',
    cause:
      'kube-apiserver serves the group {group} itself. With this APIService, kube-apiserver sends all requests for {group}/{version} to the Service, including requests from Kubernetes components.',
    fix: 'In {file}:{line}, set spec.group to an API group of your own, and set metadata.name to <version>.<group>.',
  },
  'registration/unknown-version': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'API group {group} has no version {version}',
    cause:
      'Kubernetes defines only {known} in this group. If the server does not serve {version}, it responds with 404, and the APIService is not available.',
    fix: 'In {file}:{line}, set spec.version to a version that the server serves, and set metadata.name to <version>.<group>. Or remove the APIService.',
  },
  'registration/incomplete': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} has no {missing}',
    cause: 'kube-apiserver rejects an APIService without {missing}. The file may be a kustomize patch, which is not a complete object.',
    causes:
      'kube-apiserver rejects an APIService without spec.group or spec.version. The file may be a kustomize patch, which is not a complete object.',
    fix: 'Set {missing} in {file}:{line}. If the file is a patch, check the output of kustomize instead: `kubectl kustomize . | apisvc lint -`',
  },
  'registration/unknown-field': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} has an unknown field: {field}',
    cause:
      'kubectl rejects unknown fields by default. If kubectl runs with --validate=false, kube-apiserver drops unknown fields, so they have no effect.',
    fix: 'In {file}:{line}, {action}.',
    fixes: 'In {file}:{line}, correct the name of the field, or remove the field.',
  },
  'registration/wrong-type': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{field} of APIService {name} must be {expected}, not {given}',
    cause: 'kube-apiserver cannot decode the value, and rejects the APIService.',
    fix: 'In {file}:{line}, set {field} to {expected}. In YAML, a quoted value is a string.',
  },
  'bundle/not-encoded': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of APIService {name} is not base64-encoded',
    cause: '{why} kube-apiserver cannot decode the value, and rejects the APIService.',
    causes:
      'The value is PEM text, or contains characters that are not base64. kube-apiserver cannot decode the value, and rejects the APIService.',
    fix: "Set spec.caBundle in {file}:{line} to the base64-encoded CA certificate: `base64 < ca.crt | tr -d '\\n'`",
  },
  'bundle/placeholder': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of APIService {name} is a placeholder: {placeholder}',
    cause: 'No tool has replaced the placeholder. kube-apiserver rejects the APIService, because the placeholder is not base64.',
    fix: "Render the manifest before you check it. Or set spec.caBundle in {file}:{line} to the base64-encoded CA certificate: `base64 < ca.crt | tr -d '\\n'`",
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
