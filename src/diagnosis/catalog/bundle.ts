import type { CatalogEntry } from './entry.ts';

/** The caBundle: the CAs that kube-apiserver trusts. */
export const bundleEntries = {
  'bundle/unparsable': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of {name} contains no valid PEM certificate',
    cause: 'caBundle must contain PEM certificates, base64-encoded once. kube-apiserver does not validate it when it is written.',
    fix: "`apisvc register --force-conflicts`; or set spec.caBundle to the output of `base64 < certs/ca.crt | tr -d '\\n'`",
    explainedBy: ['bundle/private-key'],
  },
  'bundle/der': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of {name} is DER, not PEM',
    cause: 'caBundle must contain PEM certificates, base64-encoded once.',
    fix: "`openssl x509 -inform der -in ca.der -out ca.crt`; then set spec.caBundle to the output of `base64 < ca.crt | tr -d '\\n'`",
  },
  'bundle/encoded-twice': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of {name} is base64-encoded twice',
    cause: 'caBundle must contain PEM certificates, base64-encoded once. The value was already base64 when it was encoded.',
    fix: '`kubectl patch apiservice {name} --type=merge -p "{\\"spec\\":{\\"caBundle\\":\\"$(kubectl get apiservice {name} -o jsonpath={.spec.caBundle} | base64 --decode | tr -d "\\n")\\"}}"`',
  },
  'bundle/damaged-certificate': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'A certificate in the caBundle of {name} cannot be parsed',
    cause: 'kube-apiserver ignores this certificate and trusts the others.',
    fix: 'Replace it with the whole certificate, from the BEGIN line to the END line, or remove it.',
    explainedBy: ['bundle/private-key'],
  },
  'bundle/empty': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} has no caBundle',
    cause: 'Without a caBundle, kube-apiserver trusts the root certificates of its host. They did not sign a certificate for {host}.',
    fix: '`apisvc register`; or, without a project, set spec.caBundle to the CA that signed the serving certificate',
    explainedBy: ['bundle/not-injected'],
  },
  'bundle/not-injected': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{injector} has not injected the caBundle of {name}',
    cause:
      'An annotation requests the injection. The controller is not running, is not allowed to update APIServices, or cannot find the certificate that the annotation names.',
    fix: '`kubectl describe apiservice {name}`; then check that the controller is running, and that the annotation is correct: {annotation}',
  },
  'bundle/private-key': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of {name} contains a private key',
    cause: 'The caBundle was set from the wrong file. Everyone who can read APIServices can read the key.',
    fix: 'The key is compromised. Replace the CA and the serving certificate: `apisvc init --force-keys && apisvc register`',
  },
  'bundle/expires-soon': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'The CA {subject} in the caBundle of {name} expires on {date}',
    cause: 'When the CA expires, every certificate that it signed stops verifying, whatever its own expiry date.',
    fix: 'In a project, renew the CA and the serving certificate: `apisvc init --force-keys && apisvc register`. Otherwise, renew the CA with the tool that issued it.',
  },
  'bundle/unused-ca': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'The caBundle of {name} trusts {count} that the server does not need',
    cause: 'Anyone with the private key of a trusted CA can impersonate the extension API server.',
    fix: 'Remove CAs that are not needed from spec.caBundle, unless the server will switch to them.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
