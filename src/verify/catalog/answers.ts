import type { CatalogEntry } from './entry.ts';

const anyTransportFault = ['registration/*', 'service/*', 'endpoints/*', 'bundle/*', 'cert/*', 'network/*'];

/** What the server, and kube-apiserver in front of it, answer. */
export const answerEntries = {
  'auth/delegator-missing': {
    severity: 'error',
    title: 'the extension API server may not ask kube-apiserver who is allowed what',
    cause: 'Its ServiceAccount is not bound to the ClusterRole system:auth-delegator.',
    fix: 'kubectl create clusterrolebinding {service}-auth-delegator --clusterrole=system:auth-delegator --serviceaccount={namespace}:<service account>',
  },
  'auth/proxy-not-trusted': {
    severity: 'error',
    title: 'the extension API server does not accept the identity that kube-apiserver sends (401)',
    cause:
      'It does not trust the client certificate of the aggregator: the requestheader CA differs, was rotated, or was not read from extension-apiserver-authentication in kube-system.',
    fix: 'Restart the server; check its RoleBinding to extension-apiserver-authentication-reader in kube-system.',
  },
  'auth/refused-by-server': {
    severity: 'error',
    title: 'the extension API server refuses requests that kube-apiserver lets through (403)',
    cause:
      'It takes kube-apiserver or its users for somebody else (system:anonymous when it does not trust the client certificate of the aggregator), or has rules of its own.',
    fix: "Read the server's log; check its RoleBinding to extension-apiserver-authentication-reader in kube-system and its ClusterRoleBinding to system:auth-delegator.",
  },
  'discovery/not-found': {
    severity: 'error',
    title: 'the extension API server does not serve {group}/{version} (404)',
    cause: 'The server knows other groups or versions than the one registered.',
    fix: 'Compare spec.group and spec.version of the APIService with what the server serves at /apis.',
  },
  'discovery/not-a-resource-list': {
    severity: 'error',
    title: 'the discovery document of {group}/{version} is not an APIResourceList',
    cause: 'Something else answers at this address, or the server has a fault. Clients can not learn the resources.',
    fix: 'kubectl get --raw /apis/{group}/{version}',
  },
  'discovery/wrong-group-version': {
    severity: 'error',
    title: 'the discovery document is that of {served}, not of {group}/{version}',
    cause: 'The APIService points at a server of another group or version.',
    fix: 'Correct spec.service of the APIService, or the server.',
  },
  'discovery/no-resources': {
    severity: 'error',
    title: '{group}/{version} is served, but has no resources',
    cause: 'The server installs the group without storage for any resource, or they are switched off by --runtime-config.',
    fix: 'kubectl get --raw /apis/{group}/{version}',
  },
  'discovery/request-failed': {
    severity: 'error',
    title: 'GET /apis/{group}/{version} through the aggregator answers {status}',
    cause:
      'kube-apiserver could not get an answer from the extension API server, or the server itself failed; the body below is what it says.',
    fix: "Read the body; then the extension API server's log.",
    explainedBy: [...anyTransportFault, 'auth/*', 'discovery/not-found', 'control-plane/*'],
  },
  'control-plane/not-available': {
    severity: 'error',
    title: '{name} is not Available: {reason}',
    cause: 'The availability controller of kube-apiserver says so; the message is its own.',
    fix: 'Read the message; kubectl get apiservice {name} -o yaml',
    explainedBy: [...anyTransportFault, 'auth/*', 'discovery/not-found'],
  },
  'control-plane/no-condition': {
    severity: 'error',
    title: '{name} has no Available condition',
    cause: 'The availability controller has not written one: the APIService is new, or (on 1.36 and newer) its caBundle can not be parsed.',
    fix: 'Wait a few seconds: apisvc verify {name} --wait',
    explainedBy: anyTransportFault,
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
