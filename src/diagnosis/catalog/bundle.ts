import type { CatalogEntry } from './entry.ts';

/** The caBundle: what kube-apiserver trusts. */
export const bundleEntries = {
  'bundle/unparsable': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'the caBundle of {name} holds no certificate that can be read',
    cause: 'caBundle must be PEM certificates, base64-encoded once. kube-apiserver does not check it when it is written.',
    fix: '`apisvc register --force-conflicts`; or set spec.caBundle to what this prints: `base64 -w0 < certs/ca.crt`',
    explainedBy: ['bundle/private-key'],
  },
  'bundle/der': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'the caBundle of {name} is DER, not PEM',
    cause: 'caBundle must be PEM certificates, base64-encoded once.',
    fix: '`openssl x509 -inform der -in ca.der -out ca.crt`; then set spec.caBundle to what this prints: `base64 -w0 < ca.crt`',
  },
  'bundle/encoded-twice': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'the caBundle of {name} is base64-encoded twice',
    cause: 'The object is JSON or YAML, where caBundle is base64 of PEM. A value that was encoded before is encoded once too often.',
    fix: '`kubectl patch apiservice {name} --type=merge -p "{\\"spec\\":{\\"caBundle\\":\\"$(kubectl get apiservice {name} -o jsonpath={.spec.caBundle} | base64 -d | tr -d "\\n")\\"}}"`',
  },
  'bundle/damaged-certificate': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'a certificate in the caBundle of {name} can not be read',
    cause: 'Go passes over it in silence and trusts the others.',
    fix: 'Put the whole certificate in, from its BEGIN line to its END line, or remove it.',
    explainedBy: ['bundle/private-key'],
  },
  'bundle/empty': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{name} has no caBundle',
    cause: 'Without caBundle kube-apiserver trusts the root certificates of its own machine, which do not sign for {host}.',
    fix: '`apisvc register`; or set spec.caBundle to the CA that signed the serving certificate',
    explainedBy: ['bundle/not-injected'],
  },
  'bundle/not-injected': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{injector} has not filled in the caBundle of {name}',
    cause:
      'An annotation asks for it, but the controller does not run, may not write APIServices, or does not find the certificate that the annotation names.',
    fix: '`kubectl describe apiservice {name}`; then check that the controller runs, and {annotation}',
  },
  'bundle/private-key': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'the caBundle of {name} contains a private key',
    cause: 'The wrong file was put into caBundle. Everyone who may read APIServices can read the key.',
    fix: 'Make a new CA and serving certificate (apisvc init --force-keys), register them, and treat the old key as public.',
  },
  'bundle/expires-soon': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'the CA {subject} in the caBundle of {name} ends on {date}',
    cause: 'With it end all certificates that it signed, whatever their own dates.',
    fix: 'Make a CA and a serving certificate anew in a project: `apisvc init --force-keys`, then `apisvc register`; or renew it where it comes from.',
  },
  'bundle/unused-ca': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'the caBundle of {name} trusts {count} that the server has no need of',
    cause:
      'No endpoint serves a certificate of it, and it is not the same CA anew. Whoever has its key can pass for the extension API server.',
    fix: 'Remove it from spec.caBundle, unless the server is about to change to it.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
