import type { CatalogEntry } from './entry.ts';

/** Authentication and authorization between users, kube-apiserver and the extension API server. */
export const authEntries = {
  'auth/delegator-missing': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server is not allowed to create TokenReviews and SubjectAccessReviews',
    cause: 'Its ServiceAccount is not bound to the ClusterRole system:auth-delegator.',
    fix: '`kubectl create clusterrolebinding {service}-auth-delegator --clusterrole=system:auth-delegator --serviceaccount={serviceAccount}`',
  },
  'auth/proxy-not-trusted': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server does not authenticate kube-apiserver (401)',
    cause:
      "The server does not trust kube-apiserver's client certificate. It uses a different requestheader CA, has not read ConfigMap kube-system/extension-apiserver-authentication, or does not allow the certificate's common name.",
    fix: "Restart the server, so that it reads the ConfigMap again. Check its RoleBinding to extension-apiserver-authentication-reader in kube-system. kube-apiserver's --requestheader-allowed-names must include the common name of the certificate in --proxy-client-cert-file.",
    explainedBy: ['auth/reader-missing', 'auth/requestheader-missing', 'auth/front-proxy-ca-expired', 'auth/client-name-not-allowed'],
  },
  'auth/refused-by-server': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server refuses requests that kube-apiserver allows ({status})',
    cause:
      "The server treats the user as system:anonymous, because it does not trust kube-apiserver's client certificate. Otherwise, the server's own authorization rules deny the user.",
    fix: 'Read the log of the server. Check its RoleBinding to extension-apiserver-authentication-reader in kube-system, and its ClusterRoleBinding to system:auth-delegator.',
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
    title: '{account} is not allowed to read ConfigMap kube-system/extension-apiserver-authentication',
    cause:
      'The server reads the ConfigMap when it starts. Its ServiceAccount is not bound to the Role extension-apiserver-authentication-reader in kube-system.',
    fix: '`kubectl -n kube-system create rolebinding {service}-auth-reader --role=extension-apiserver-authentication-reader --serviceaccount={serviceAccount}`',
  },
  'auth/requestheader-missing': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver does not publish a requestheader CA',
    cause:
      'ConfigMap kube-system/extension-apiserver-authentication has no requestheader-client-ca-file, so no extension API server can authenticate kube-apiserver. The aggregation layer is not configured, or the CA has expired; kube-apiserver removes an expired CA.',
    fix: 'Start kube-apiserver with --requestheader-client-ca-file, --requestheader-allowed-names, the --requestheader-*-headers flags, --proxy-client-cert-file and --proxy-client-key-file. Renew the CA if it has expired.',
  },
  'auth/front-proxy-ca-expired': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The front-proxy CA {subject} expired on {date}',
    cause: "Extension API servers verify kube-apiserver's client certificate against this CA. Verification now fails.",
    fix: 'Renew the front-proxy CA and the client certificate, and restart kube-apiserver. With kubeadm, regenerate the CA, then run kubeadm certs renew front-proxy-client.',
  },
  'auth/front-proxy-ca-expires-soon': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'The front-proxy CA {subject} expires on {date}',
    cause: 'After that, no extension API server in the cluster accepts requests from kube-apiserver.',
    fix: "Renew the front-proxy CA and kube-apiserver's client certificate before {date}.",
  },
  'auth/client-name-not-allowed': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: "The extension API server does not allow the common name of kube-apiserver's client certificate",
    cause: "The certificate's common name must be one of the server's allowed names (--requestheader-allowed-names).",
    fix: "Add the name to kube-apiserver's --requestheader-allowed-names. kube-apiserver publishes this list. If the server has its own list, add the name there and restart the server.",
    explainedBy: ['auth/requestheader-missing'],
  },
  'auth/proxy-certificate-refused': {
    severity: 'error',
    hop: 'endpoint',
    title: "The extension API server rejects kube-apiserver's client certificate during the TLS handshake",
    cause:
      'The server requires a client certificate from a CA that it trusts. kube-apiserver sends a certificate from a different CA, or none.',
    fix: "Configure the server to accept client certificates from the CA in ConfigMap kube-system/extension-apiserver-authentication (key requestheader-client-ca-file). Check kube-apiserver's --proxy-client-cert-file.",
    explainedBy: ['auth/front-proxy-ca-expired', 'auth/requestheader-missing', 'auth/reader-missing'],
  },
  'auth/user-not-allowed': {
    severity: 'error',
    hop: 'client',
    title: 'User {user} is not allowed to get {path}',
    cause: 'RBAC does not allow it. kube-apiserver responds with 403 before it sends the request to the extension API server.',
    fix: '`kubectl auth can-i get {path} --as {user}`; then bind the user to a ClusterRole that allows it',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
