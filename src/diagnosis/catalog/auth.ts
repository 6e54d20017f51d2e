import type { CatalogEntry } from './entry.ts';

/** Authentication and authorization between users, kube-apiserver and the extension API server. */
export const authEntries = {
  'auth/delegator-missing': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server is not allowed to create {reviews}',
    cause:
      'The extension API server creates TokenReviews and SubjectAccessReviews to authenticate and authorize users. Its ServiceAccount is not bound to the ClusterRole system:auth-delegator.',
    fix: 'Bind the ServiceAccount to the ClusterRole system:auth-delegator: `kubectl create clusterrolebinding {service}-auth-delegator --clusterrole=system:auth-delegator --serviceaccount={serviceAccount}`',
    fileFix:
      'Bind the ServiceAccount to the ClusterRole system:auth-delegator. To do so, replace the binding in {file}:{line} with the output of `kubectl create clusterrolebinding {service}-auth-delegator --clusterrole=system:auth-delegator --serviceaccount={serviceAccount} --dry-run=client -o yaml`',
  },
  'auth/proxy-not-trusted': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server cannot authenticate kube-apiserver (401 Unauthorized)',
    cause:
      "The extension API server does not trust kube-apiserver's client certificate. It trusts a different front-proxy CA, has not read ConfigMap kube-system/extension-apiserver-authentication, or does not allow the certificate's common name.",
    fix: "Restart the extension API server, so that it reads ConfigMap kube-system/extension-apiserver-authentication again. Check that a RoleBinding in kube-system binds the ServiceAccount of the extension API server to the Role extension-apiserver-authentication-reader. Check that kube-apiserver's --requestheader-allowed-names is empty or includes the common name of the certificate in --proxy-client-cert-file.",
    explainedBy: [
      'auth/reader-missing',
      'auth/requestheader-missing',
      'auth/front-proxy-ca-expired',
      'auth/client-name-not-allowed',
      'endpoints/answers-differ',
    ],
  },
  'auth/refused-by-server': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server rejects requests that kube-apiserver allows ({status})',
    cause:
      "Either the extension API server does not trust kube-apiserver's client certificate and treats the user as system:anonymous, or its authorization denies the user's request.",
    fix: 'Read the log of the extension API server. Check that its ServiceAccount is bound to the Role extension-apiserver-authentication-reader in kube-system, and to the ClusterRole system:auth-delegator.',
    explainedBy: [
      'auth/reader-missing',
      'auth/requestheader-missing',
      'auth/front-proxy-ca-expired',
      'auth/client-name-not-allowed',
      'auth/delegator-missing',
      'endpoints/answers-differ',
    ],
  },
  'auth/reader-missing': {
    severity: 'error',
    hop: 'endpoint',
    title: 'User {account} is not allowed to read ConfigMap kube-system/extension-apiserver-authentication',
    cause:
      'An extension API server reads ConfigMap kube-system/extension-apiserver-authentication when it starts. The ServiceAccount of this server is not bound to the Role extension-apiserver-authentication-reader in kube-system.',
    fix: 'Bind the ServiceAccount to the Role extension-apiserver-authentication-reader: `kubectl -n kube-system create rolebinding {service}-auth-reader --role=extension-apiserver-authentication-reader --serviceaccount={serviceAccount}`',
    fileFix:
      'Bind the ServiceAccount to the Role extension-apiserver-authentication-reader in namespace kube-system. To do so, replace the binding in {file}:{line} with the output of `kubectl -n kube-system create rolebinding {service}-auth-reader --role=extension-apiserver-authentication-reader --serviceaccount={serviceAccount} --dry-run=client -o yaml`',
  },
  'auth/requestheader-missing': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'kube-apiserver does not publish a front-proxy CA (requestheader-client-ca-file)',
    cause:
      'ConfigMap kube-system/extension-apiserver-authentication has no certificate in the key requestheader-client-ca-file, so no extension API server can authenticate kube-apiserver. Either the aggregation layer is not configured, or the front-proxy CA has expired. kube-apiserver removes an expired CA from the ConfigMap.',
    fix: 'If the front-proxy CA has expired, renew it. Otherwise, restart kube-apiserver with the flags that configure the aggregation layer: --requestheader-client-ca-file, --requestheader-allowed-names, --requestheader-username-headers, --requestheader-group-headers, --requestheader-extra-headers-prefix, --proxy-client-cert-file and --proxy-client-key-file.',
  },
  'auth/front-proxy-ca-expired': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The front-proxy CA {subject} expired on {date}',
    cause:
      "Extension API servers use the front-proxy CA to verify kube-apiserver's client certificate. Because the CA has expired, the verification fails.",
    fix: "Renew the front-proxy CA and kube-apiserver's client certificate (--proxy-client-cert-file), then restart kube-apiserver. In a kubeadm cluster, generate a new front-proxy CA, then renew the client certificate: `kubeadm certs renew front-proxy-client`",
  },
  'auth/front-proxy-ca-expires-soon': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'The front-proxy CA {subject} expires on {date}',
    cause: "When the front-proxy CA expires, extension API servers no longer accept kube-apiserver's client certificate.",
    fix: "Before {date}, renew the front-proxy CA and kube-apiserver's client certificate (--proxy-client-cert-file).",
  },
  'auth/client-name-not-allowed': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: "The extension API server does not allow the common name of kube-apiserver's client certificate",
    cause:
      "The extension API server accepts only client certificates with a common name from --requestheader-allowed-names. The common name of kube-apiserver's client certificate is not in this list.",
    fix: "Add the common name to kube-apiserver's --requestheader-allowed-names. If the extension API server has its own --requestheader-allowed-names, add the common name to that flag too, and restart the extension API server.",
    explainedBy: ['auth/requestheader-missing'],
  },
  'auth/proxy-certificate-refused': {
    severity: 'error',
    hop: 'endpoint',
    title: "The extension API server rejects kube-apiserver's client certificate during the TLS handshake",
    cause:
      'The extension API server requires a client certificate from a CA that it trusts. kube-apiserver sends a certificate from a different CA, or no certificate.',
    fix: "Configure the extension API server to accept client certificates from the CA in ConfigMap kube-system/extension-apiserver-authentication (key requestheader-client-ca-file). Check that the certificate in kube-apiserver's --proxy-client-cert-file is signed by this CA and has not expired. Check that the clock of the extension API server's node is correct.",
    explainedBy: ['auth/front-proxy-ca-expired', 'auth/requestheader-missing', 'auth/reader-missing'],
  },
  'auth/user-not-allowed': {
    severity: 'error',
    hop: 'client',
    title: 'User {user} is not allowed to get {path}',
    cause:
      'No RBAC rule allows the request. kube-apiserver responds with 403 Forbidden, and does not send the request to the extension API server.',
    fix: 'Bind user {user} to a ClusterRole that allows the verb get on the non-resource URL {path}. Then check the permission: `kubectl auth can-i get {path} --as {user}`',
  },
  'auth/list-not-allowed': {
    severity: 'error',
    hop: 'client',
    title: 'User {user} is not allowed to {verb} {resource} in group {group}',
    cause:
      'No RBAC rule allows the request. kube-apiserver responds with 403 Forbidden, and does not send the request to the extension API server. For a namespaced resource, the request covers all namespaces. A user with a RoleBinding may still have access to some namespaces.',
    fix: 'Create a ClusterRole for the resource: `kubectl create clusterrole {resource}-reader --verb=get,list,watch --resource={resource}.{group}`. Bind the user to the ClusterRole: `kubectl create clusterrolebinding {resource}-reader --clusterrole={resource}-reader --user={user}`. Then check the permission: `kubectl auth can-i {verb} {resource}.{group} --all-namespaces --as {user}`',
    explainedBy: ['auth/user-not-allowed'],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
