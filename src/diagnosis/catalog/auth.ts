import type { CatalogEntry } from './entry.ts';

/** Who kube-apiserver is to the extension API server, and who its users are. */
export const authEntries = {
  'auth/delegator-missing': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the extension API server may not ask kube-apiserver who is allowed what',
    cause: 'Its ServiceAccount is not bound to the ClusterRole system:auth-delegator.',
    fix: '`kubectl create clusterrolebinding {service}-auth-delegator --clusterrole=system:auth-delegator --serviceaccount={serviceAccount}`',
  },
  'auth/proxy-not-trusted': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the extension API server does not accept the identity that kube-apiserver sends (401)',
    cause:
      'It does not trust the client certificate of the aggregator: the requestheader CA differs, was rotated, or was not read from extension-apiserver-authentication in kube-system, or the name in the certificate is not among the allowed ones.',
    fix: 'Restart the server; check its RoleBinding to extension-apiserver-authentication-reader in kube-system, and that --requestheader-allowed-names of kube-apiserver has the name in --proxy-client-cert-file.',
    explainedBy: ['auth/reader-missing', 'auth/requestheader-missing', 'auth/front-proxy-ca-expired', 'auth/client-name-not-allowed'],
  },
  'auth/refused-by-server': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the extension API server refuses requests that kube-apiserver lets through ({status})',
    cause:
      'It takes kube-apiserver or its users for somebody else (system:anonymous when it does not trust the client certificate of the aggregator), or has rules of its own.',
    fix: "Read the server's log; check its RoleBinding to extension-apiserver-authentication-reader in kube-system and its ClusterRoleBinding to system:auth-delegator.",
    explainedBy: [
      'auth/reader-missing',
      'auth/requestheader-missing',
      'auth/front-proxy-ca-expired',
      'auth/client-name-not-allowed',
      'auth/delegator-missing',
    ],
  },
  'auth/reader-missing': {
    severity: 'error',
    hop: 'endpoint',
    title: '{account} may not read how kube-apiserver identifies itself',
    cause:
      'The server reads ConfigMap kube-system/extension-apiserver-authentication at its start, and its ServiceAccount is not bound to the Role extension-apiserver-authentication-reader there.',
    fix: '`kubectl -n kube-system create rolebinding {service}-auth-reader --role=extension-apiserver-authentication-reader --serviceaccount={serviceAccount}`',
  },
  'auth/requestheader-missing': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver publishes no CA for the identities that it passes on',
    cause:
      'ConfigMap kube-system/extension-apiserver-authentication has no requestheader-client-ca-file, so no extension API server can believe kube-apiserver: the aggregation layer is not configured, or its CA has ended, which kube-apiserver then takes out.',
    fix: 'Start kube-apiserver with --requestheader-client-ca-file, --requestheader-allowed-names, the --requestheader-*-headers flags, --proxy-client-cert-file and --proxy-client-key-file; renew the CA where it has ended.',
  },
  'auth/front-proxy-ca-expired': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'the front proxy CA {subject} has ended: {date}',
    cause: 'Extension API servers verify the client certificate of kube-apiserver with it, and accept none any more.',
    fix: 'Renew the front proxy CA and its client certificate (kubeadm certs renew front-proxy-client, after making the CA anew), and restart kube-apiserver.',
  },
  'auth/front-proxy-ca-expires-soon': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'the front proxy CA {subject} ends on {date}',
    cause: 'After that no extension API server of the cluster accepts requests from kube-apiserver.',
    fix: 'Renew the front proxy CA and its client certificate in time.',
  },
  'auth/client-name-not-allowed': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'the extension API server does not accept the name in the client certificate of kube-apiserver',
    cause: 'The common name of that certificate must be one of the allowed names (--requestheader-allowed-names) of the server.',
    fix: 'Add the name to --requestheader-allowed-names of kube-apiserver, which publishes it; restart a server that has a list of its own.',
    explainedBy: ['auth/requestheader-missing'],
  },
  'auth/proxy-certificate-refused': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the extension API server ends the TLS handshake over the client certificate of kube-apiserver',
    cause:
      'It wants a client certificate from a CA that it knows during the handshake, and that of the aggregator is from another one or is missing.',
    fix: 'Give the server requestheader-client-ca-file of extension-apiserver-authentication in kube-system as a client CA; check --proxy-client-cert-file of kube-apiserver.',
    explainedBy: ['auth/front-proxy-ca-expired', 'auth/requestheader-missing', 'auth/reader-missing'],
  },
  'auth/user-not-allowed': {
    severity: 'error',
    hop: 'client',
    title: '{user} is not allowed to use {group}/{version}',
    cause: 'RBAC of the cluster does not let that user get {path}; kube-apiserver refuses before the server is asked.',
    fix: '`kubectl auth can-i get {path} --as {user}`; then bind the user to a ClusterRole that allows it',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
