import type { CatalogEntry } from './entry.ts';
import { anyAnswerFault, anyTransportFault } from './symptoms.ts';

/** The Available condition, which kube-apiserver sets. */
export const controlPlaneEntries = {
  'control-plane/not-available': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} is not Available: {reason}',
    cause:
      'The availability controller of kube-apiserver set the condition; the evidence is its message. Until the API is available, namespaces cannot be deleted, and discovery of all groups reports an error.',
    fix: 'Wait for the next check of kube-apiserver (every 30 seconds): `apisvc verify {name} --wait`. If the API does not become Available, the message gives the reason.',
    explainedBy: [...anyAnswerFault],
  },
  'control-plane/no-condition': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} has no Available condition',
    cause:
      'The availability controller of kube-apiserver has not set it. The APIService is new, or its caBundle is not readable (Kubernetes 1.36 and newer).',
    fix: 'Wait a few seconds: `apisvc verify {name} --wait`',
    explainedBy: [...anyTransportFault],
  },
  'control-plane/stale-condition': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{name} works, but is not Available: {reason}',
    cause:
      'The condition is out of date: the availability controller checks every 30 seconds. Or another kube-apiserver cannot reach the server; all of them set the same condition.',
    fix: '`apisvc verify {name} --wait`. If it does not become Available, check the connection to the server from every control plane node.',
  },
  'control-plane/flapping': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The Available condition of {name} is True, but kube-apiserver responds with "service unavailable"',
    cause: 'Several kube-apiservers set the condition, and this one cannot reach the server. Or the state has just changed.',
    fix: '`kubectl get apiservice {name} --watch`; then check the connection to the server from every control plane node',
    explainedBy: [...anyAnswerFault],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
