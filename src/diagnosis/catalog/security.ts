import type { CatalogEntry } from './entry.ts';

/** Security risks of an API that works. */
export const securityEntries = {
  'security/insecure-skip-tls-verify': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: '{name} has insecureSkipTLSVerify: true',
    cause:
      'kube-apiserver does not verify the serving certificate. Any server at that address receives user identities and can forge responses.',
    fix: 'Register the API with a caBundle: `apisvc init && apisvc register`',
    explainedBy: ['registration/injector-blocked', 'registration/insecure-with-bundle'],
  },
  'security/forged-identity-accepted': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server accepts X-Remote-* headers from clients without the front-proxy certificate',
    cause: 'Every client that can connect to the pods can act as any user, for example as a cluster administrator.',
    fix: 'Accept X-Remote-User and X-Remote-Group only with a verified client certificate: pass --requestheader-client-ca-file, or let the server read ConfigMap kube-system/extension-apiserver-authentication.',
  },
  'security/anonymous-access': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'The extension API server accepts anonymous requests',
    cause:
      'A request without credentials gets the discovery document. The server does not authenticate clients, or RBAC allows the request for system:anonymous.',
    fix: 'Enable delegated authentication and authorization in the server. Check for bindings of system:anonymous and system:unauthenticated.',
  },
  'security/key-mismatch': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The private key {keyEntry} in the Secret {namespace}/{secret} does not match {certificateEntry}',
    cause:
      'The certificate and the key were not issued together. A running server keeps the pair that it loaded. After a restart, it cannot load this one.',
    // The type of a Secret is immutable, and `create secret tls` supports only one type.
    fix: '`kubectl -n {namespace} create secret generic {secret} --type={type} --from-file={certificateEntry}=tls.crt --from-file={keyEntry}=tls.key --dry-run=client -o yaml | kubectl apply -f -`',
  },
  'security/ca-key-in-secret': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'The Secret {namespace}/{secret} contains the private key of a CA',
    cause:
      'The server needs only the serving certificate and its key. An attacker who gains access to a pod can use {key} to issue certificates that kube-apiserver trusts.',
    fix: '`kubectl -n {namespace} patch secret {secret} --type=json -p \'[{"op":"remove","path":"/data/{key}"}]\'`; store the key elsewhere',
  },
  'security/private-key-in-configmap': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'ConfigMap kube-system/extension-apiserver-authentication contains a private key',
    cause:
      'Extension API servers, and often other clients, can read the ConfigMap. kube-apiserver publishes only certificates and removes the rest. So the ConfigMap is immutable, or another program writes it.',
    fix: '`kubectl -n kube-system delete configmap extension-apiserver-authentication`; kube-apiserver creates it again. The key is compromised: replace its CA.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
