import type { CatalogEntry } from './entry.ts';
import { anyAnswerFault, anyTransportFault } from './symptoms.ts';

/** The Available condition, which kube-apiserver sets. */
export const controlPlaneEntries = {
  'control-plane/not-available': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} is not Available: {reason}',
    cause:
      "kube-apiserver's availability controller set the condition; the evidence is its message. Until the API is available, namespaces cannot be deleted, and discovery of all groups reports an error.",
    fix: 'kube-apiserver checks every 30 seconds. Wait for the next check: `apisvc verify {name} --wait`. If the API does not become Available, the message gives the reason.',
    explainedBy: [...anyAnswerFault],
  },
  'control-plane/no-condition': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} has no Available condition',
    cause:
      "kube-apiserver's availability controller has not set it. The APIService is new, or its caBundle cannot be parsed (Kubernetes 1.36 and newer).",
    fix: 'Wait a few seconds: `apisvc verify {name} --wait`',
    explainedBy: [...anyTransportFault],
  },
  'control-plane/stale-condition': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{name} works, but is not Available: {reason}',
    cause:
      'The condition is out of date, because the availability controller checks every 30 seconds. It is also possible that a different kube-apiserver instance, which sets the same condition, cannot reach the server.',
    fix: '`apisvc verify {name} --wait`. If it does not become Available, check the connection to the server from every control plane node.',
  },
  'control-plane/flapping': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The Available condition of {name} is True, but kube-apiserver responds with "service unavailable"',
    cause:
      'All kube-apiserver instances set the same condition, and the instance that responded cannot reach the server. It is also possible that the state has just changed.',
    fix: '`kubectl get apiservice {name} --watch`; then check the connection to the server from every control plane node',
    explainedBy: [...anyAnswerFault],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
