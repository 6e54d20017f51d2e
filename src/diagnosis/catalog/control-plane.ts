import type { CatalogEntry } from './entry.ts';
import { anyAnswerFault, anyTransportFault } from './symptoms.ts';

/** What kube-apiserver itself says of the API. */
export const controlPlaneEntries = {
  'control-plane/not-available': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} is not Available: {reason}',
    cause:
      'The availability controller of kube-apiserver says so; the message is its own. While it stays so, namespaces can not be deleted, and whatever reads all of discovery sees an error.',
    fix: '`apisvc verify {name} --wait`; kube-apiserver looks again every 30 seconds only. Where it stays so, its message says why.',
    explainedBy: [...anyAnswerFault],
  },
  'control-plane/no-condition': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} has no Available condition',
    cause: 'The availability controller has not written one: the APIService is new, or (on 1.36 and newer) its caBundle can not be parsed.',
    fix: 'Wait a few seconds: `apisvc verify {name} --wait`',
    explainedBy: [...anyTransportFault],
  },
  'control-plane/stale-condition': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{name} works, though its condition says {reason}',
    cause:
      'The availability controller looks again every 30 seconds at the latest, and every kube-apiserver writes the same condition: it is out of date, or another kube-apiserver can not reach the server.',
    fix: '`apisvc verify {name} --wait`; where it stays so, look from every machine of the control plane',
  },
  'control-plane/flapping': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} is Available by its condition, and kube-apiserver still calls it unavailable',
    cause:
      'The kube-apiserver that answered holds the API for unavailable, another one has just written the opposite: several replicas do not see the same, or the state changes at this moment.',
    fix: '`kubectl get apiservice {name} --watch`; look at the way to the server from every machine of the control plane',
    explainedBy: [...anyAnswerFault],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
