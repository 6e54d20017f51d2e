import type { Code } from '../../../src/diagnosis/catalog.ts';

const certManager = 'The objects of cert-manager are the same on 1.35 as on 1.37, where it is recorded.';
const declared = 'The configuration of a project is the same on 1.35 as on 1.37, where it is recorded.';

/**
 * The findings that the laboratory cannot produce, and why. test/unit/diagnosis has a snapshot for
 * each.
 */
export const offline: Partial<Readonly<Record<Code, string>>> = {
  'bundle/no-such-certificate': 'Only files have it: a cluster has one Certificate of that name, or none.',
  'cert-manager/issuer-not-ready': certManager,
  'cert-manager/name-missing': certManager,
  'cert-manager/not-injected': certManager,
  'cert-manager/not-ready': certManager,
  'cert-manager/old-ca': certManager,
  'cert-manager/renewal-failed': certManager,
  'cert-manager/secret-not-allowed': certManager,
  'cert-manager/source-not-found': certManager,
  'cert/other-secret': declared,
  'control-plane/flapping': 'It lasts for milliseconds, while a condition changes or two kube-apiservers set different conditions.',
  'discovery/not-in-group': 'kube-apiserver lists every version that it forwards requests for. The two differ only for milliseconds.',
  'endpoints/server-name-required': 'Kubernetes 1.37 always sends a server name. It is found on 1.35.',
  'endpoints/no-replicas': 'Only files have it. In a cluster, the Service has no endpoints: endpoints/none.',
  'network/address-not-allowed': 'The message comes from a proxy that only managed clusters have.',
  'registration/other-service': declared,
  'service/not-in-files': 'Only files have it. In a cluster, the Service does not exist: service/missing.',
  'service/selects-no-pod': 'Only files have it. In a cluster, the Service has no endpoints: endpoints/none.',
};
