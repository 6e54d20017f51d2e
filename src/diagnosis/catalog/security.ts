import type { CatalogEntry } from './entry.ts';

/** What works and puts the cluster at risk. */
export const securityEntries = {
  'security/insecure-skip-tls-verify': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{name} has insecureSkipTLSVerify: true',
    cause: 'kube-apiserver sends the identities of its users to whoever answers at the address of the Service.',
    fix: 'Register the API with a caBundle: apisvc init, apisvc register',
    explainedBy: ['registration/injector-blocked', 'registration/insecure-with-bundle'],
  },
  'security/forged-identity-accepted': {
    severity: 'error',
    hop: 'endpoint',
    title: 'the extension API server believes whoever claims to be an administrator',
    cause:
      'It takes X-Remote-User and X-Remote-Group from a connection without the client certificate of the front proxy. Everyone who can reach the pods can act as anybody.',
    fix: 'Pass --requestheader-client-ca-file, or let the server read extension-apiserver-authentication in kube-system, and believe the headers only behind a verified client certificate.',
  },
  'security/anonymous-access': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'the extension API server answers without knowing who asks',
    cause:
      'A request without any identity gets the discovery document. Either the server checks nobody, or RBAC allows it to system:anonymous.',
    fix: 'Turn on delegated authentication and authorization in the server; look for bindings of system:anonymous and system:unauthenticated.',
  },
  'security/key-mismatch': {
    severity: 'error',
    hop: 'endpoint',
    title: '{keyEntry} of the Secret {namespace}/{secret} does not belong to its {certificateEntry}',
    cause: 'Certificate and key come from two runs of a tool. A running server keeps its old pair; one that starts can not load this one.',
    // The type of a Secret can not be changed, and `create secret tls` makes one type only.
    fix: '`kubectl -n {namespace} create secret generic {secret} --type={type} --from-file={certificateEntry}=tls.crt --from-file={keyEntry}=tls.key --dry-run=client -o yaml | kubectl apply -f -`',
  },
  'security/ca-key-in-secret': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'the Secret {namespace}/{secret} hands the private key of a CA to the server',
    cause:
      'It has the entry {key}. Whoever breaks into a pod can issue certificates that kube-apiserver trusts; the server needs tls.crt and tls.key only.',
    fix: '`kubectl -n {namespace} patch secret {secret} --type=json -p \'[{"op":"remove","path":"/data/{key}"}]\'`; keep the key elsewhere',
  },
  'security/private-key-in-configmap': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'the ConfigMap kube-system/extension-apiserver-authentication holds a private key',
    cause:
      'Every extension API server may read it, and often everybody. kube-apiserver publishes certificates alone and removes the rest, so somebody wrote it there and keeps it from being put right (immutable: true), or something other than kube-apiserver publishes it.',
    fix: '`kubectl -n kube-system delete configmap extension-apiserver-authentication`; kube-apiserver makes it anew. Make a new CA, and treat the old key as public.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
