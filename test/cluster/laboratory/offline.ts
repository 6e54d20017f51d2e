import type { Code } from '../../../src/diagnosis/catalog.ts';

const certManager = 'The objects of cert-manager do not depend on the version of Kubernetes. The test runs only on 1.37.';
const declared = 'The configuration of a project does not depend on the version of Kubernetes. The test runs only on 1.37.';

/**
 * The findings that the laboratory cannot produce, and why. test/unit/diagnosis has a snapshot for
 * each.
 */
export const offline: Partial<Readonly<Record<Code, string>>> = {
  'bundle/no-such-certificate': 'Only `apisvc lint` reports it. In a cluster, the finding is cert-manager/source-not-found.',
  'cert-manager/issuer-not-ready': certManager,
  'cert-manager/name-missing': certManager,
  'cert-manager/not-injected': certManager,
  'cert-manager/not-ready': certManager,
  'cert-manager/old-ca': certManager,
  'cert-manager/renewal-failed': certManager,
  'cert-manager/secret-not-allowed': certManager,
  'cert-manager/source-not-found': certManager,
  'cert/other-secret': declared,
  'control-plane/flapping':
    'The fault lasts only milliseconds, while a condition changes or two kube-apiserver instances set different conditions.',
  'discovery/not-in-group':
    'kube-apiserver lists every version for which it forwards requests. The list is out of date only for milliseconds.',
  'endpoints/server-name-required': 'On Kubernetes 1.37, kube-apiserver always sends a server name. The test finds the fault on 1.35.',
  'endpoints/no-replicas': 'Only `apisvc lint` reports it. In a cluster, the finding is endpoints/none.',
  'network/address-not-allowed': 'The message comes from a proxy that only managed clusters have.',
  'registration/other-service': declared,
  'service/not-in-files': 'Only `apisvc lint` reports it. In a cluster, the finding is service/missing.',
  'service/selects-no-pod': 'Only `apisvc lint` reports it. In a cluster, the finding is endpoints/none.',
};
