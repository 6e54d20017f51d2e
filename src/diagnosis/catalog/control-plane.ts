import type { CatalogEntry } from './entry.ts';
import { anyAnswerFault, anyTransportFault } from './symptoms.ts';

/** The Available condition, which kube-apiserver sets. */
export const controlPlaneEntries = {
  'control-plane/not-available': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} is not Available: {reason}',
    cause:
      'The kube-apiserver availability check fails. The message of the Available condition contains the reason. Until the API is available, namespaces cannot be deleted, and clients that discover all groups get an error.',
    fix: 'Wait for the next kube-apiserver availability check, which runs every 30 seconds: `apisvc verify {name} --wait`. If the APIService does not become Available, fix the problem that the message of the condition describes.',
    explainedBy: [...anyAnswerFault, 'control-plane/wrong-clock', 'control-plane/clock-skew'],
  },
  'control-plane/no-condition': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} has no Available condition',
    cause:
      'kube-apiserver has not set the Available condition. Either the APIService is new, or its caBundle cannot be parsed (Kubernetes 1.36 or newer).',
    fix: 'If the APIService is new, wait until kube-apiserver sets the condition: `apisvc verify {name} --wait`. If its caBundle cannot be parsed, correct the caBundle.',
    explainedBy: [...anyTransportFault],
  },
  'control-plane/stale-condition': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'APIService {name} is not Available ({reason}), although the API works',
    cause:
      'The Available condition may be out of date, because kube-apiserver checks the API only every 30 seconds. It is also possible that another kube-apiserver instance, which sets the same condition, cannot reach the extension API server.',
    fix: 'Wait for the next availability check: `apisvc verify {name} --wait`. If the APIService does not become Available, check the connection to the extension API server from every control plane node.',
  },
  'control-plane/clock-skew': {
    severity: 'error',
    hop: 'client',
    title: 'The clock of this machine is {difference} {direction} that of kube-apiserver',
    cause:
      'One of the two clocks is wrong. kube-apiserver uses its own clock to verify certificates. For kube-apiserver, a certificate that was issued on this machine may be expired or not yet valid.',
    fix: 'Before you issue new certificates, synchronize the wrong clock with a time server. To see the time of kube-apiserver, read the Date header of its response: `kubectl get --raw /livez -v=8 2>&1 | grep -i date:`',
  },
  'control-plane/wrong-clock': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The clock of a kube-apiserver instance is wrong: it shows {time}',
    cause:
      'kube-apiserver rejects a certificate that is valid now, because its clock is wrong. If the cluster has several kube-apiserver instances, apisvc may be connected to an instance whose clock is correct.',
    fix: 'Do not issue new certificates. Synchronize the clocks of all control plane nodes with a time server. Then check the API again: `apisvc verify {name} --wait`',
  },
  'control-plane/flapping': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The Available condition of APIService {name} is True, but kube-apiserver responds with "service unavailable"',
    cause:
      'Every kube-apiserver instance updates this condition, so it may show the result of a different instance. The instance that responded cannot reach the extension API server, but another instance can. It is also possible that the state of the API has just changed.',
    fix: 'Watch whether the condition changes: `kubectl get apiservice {name} --watch`. Then check the connection to the extension API server from every control plane node.',
    explainedBy: [...anyAnswerFault, 'control-plane/wrong-clock', 'control-plane/clock-skew'],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
