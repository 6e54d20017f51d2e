import type { CatalogEntry } from './entry.ts';

/** Security risks of an API that works. */
export const securityEntries = {
  'security/insecure-skip-tls-verify': {
    severity: 'warning',
    hop: 'kube-apiserver',
    field: ['spec', 'insecureSkipTLSVerify'],
    title: 'APIService {name} has insecureSkipTLSVerify: true',
    cause:
      'kube-apiserver does not verify the serving certificate. Any server that responds at the address of the Service receives user identities and can forge responses.',
    fix: 'Give the server a certificate that kube-apiserver verifies: `apisvc secure {name}`',
    fileFix: 'Set spec.caBundle to the CA that signed the serving certificate, and remove insecureSkipTLSVerify in {file}:{line}.',
    explainedBy: ['registration/injector-blocked', 'registration/insecure-with-bundle'],
  },
  'security/forged-identity-accepted': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The extension API server accepts X-Remote-* headers from clients without the front-proxy certificate',
    cause: 'Every client that can connect to the pods can act as any user, for example as a cluster administrator.',
    fix: 'Configure the extension API server to accept X-Remote-* headers only with a verified client certificate. Set its --requestheader-client-ca-file, or let it read ConfigMap kube-system/extension-apiserver-authentication.',
  },
  'security/anonymous-access': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'The extension API server accepts anonymous requests',
    cause:
      'The extension API server returns the discovery document to a client without credentials. Either the server does not authenticate clients, or RBAC allows the request for system:anonymous.',
    fix: 'Enable delegated authentication and authorization in the extension API server. Check which roles are bound to user system:anonymous and group system:unauthenticated.',
  },
  'security/key-mismatch': {
    severity: 'error',
    differs: true,
    hop: 'endpoint',
    title: 'The private key {keyEntry} in Secret {namespace}/{secret} does not match the certificate {certificateEntry}',
    cause:
      'The certificate was issued for a different private key. A running server keeps the certificate and private key that it loaded. After a restart, the server cannot load the certificate and private key from the Secret.',
    // The type of a Secret is immutable, and `create secret tls` supports only one type.
    fix: 'Replace the Secret with one that contains a matching certificate and private key: `kubectl -n {namespace} create secret generic {secret} --type={type} --from-file={certificateEntry}=tls.crt --from-file={keyEntry}=tls.key --dry-run=client -o yaml | kubectl apply -f -`',
    fileFix: 'Replace {certificateEntry} and {keyEntry} in {file}:{line} with a matching certificate and private key.',
  },
  'security/ca-key-in-secret': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'Secret {namespace}/{secret} contains the private key of a CA',
    cause:
      'The extension API server needs only the serving certificate and its private key. An attacker who gains access to a pod can use {key} to issue certificates that kube-apiserver trusts.',
    fix: 'Store the private key of the CA elsewhere, then remove it from the Secret: `kubectl -n {namespace} patch secret {secret} --type=json -p \'[{"op":"remove","path":"/data/{key}"}]\'`',
    fileFix: 'Store the private key of the CA elsewhere, and remove {key} in {file}:{line}.',
  },
  'security/private-key-in-configmap': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'ConfigMap kube-system/extension-apiserver-authentication contains a private key',
    cause:
      'Extension API servers, and often other clients, can read the ConfigMap. kube-apiserver writes only certificates to the ConfigMap, and removes everything else. It could not remove the private key, because the ConfigMap is immutable or another program writes to it.',
    fix: 'Delete the ConfigMap, so that kube-apiserver creates it again: `kubectl -n kube-system delete configmap extension-apiserver-authentication`. The private key is compromised. Replace its CA, which is in --client-ca-file or --requestheader-client-ca-file of kube-apiserver.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
