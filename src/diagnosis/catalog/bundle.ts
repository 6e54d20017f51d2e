import type { CatalogEntry } from './entry.ts';
import { renewInFiles, renewInProject } from './renewals.ts';

const setBundle =
  "Set spec.caBundle in {file}:{line} to the output of this command, where ca.crt is the CA that signed the serving certificate: `base64 < ca.crt | tr -d '\\n'`";

/** Faults of a caBundle without any CA. */
const unusable = ['bundle/empty', 'bundle/not-injected', 'bundle/unparsable', 'bundle/der', 'bundle/encoded-twice', 'bundle/private-key'];

/** The caBundle: the CAs that kube-apiserver trusts. */
export const bundleEntries = {
  'bundle/unparsable': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of APIService {name} contains no valid PEM certificate',
    cause:
      'The value of spec.caBundle must be PEM certificates, base64-encoded exactly once. kube-apiserver does not validate the value when you create or update the APIService.',
    fix: "In an apisvc project, write the caBundle again: `apisvc register --force-conflicts`. Otherwise, set spec.caBundle to the output of this command, where ca.crt is the CA that signed the serving certificate: `base64 < ca.crt | tr -d '\\n'`",
    fileFix: setBundle,
    explainedBy: ['bundle/private-key'],
  },
  'bundle/der': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of APIService {name} is in DER format, not PEM',
    cause: 'The value of spec.caBundle must be PEM certificates, base64-encoded exactly once.',
    fix: "Convert the CA certificate to PEM: `openssl x509 -inform der -in ca.der -out ca.crt`. Then set spec.caBundle to the output of this command: `base64 < ca.crt | tr -d '\\n'`",
    fileFix:
      "Convert the CA certificate to PEM: `openssl x509 -inform der -in ca.der -out ca.crt`. Then set spec.caBundle in {file}:{line} to the output of `base64 < ca.crt | tr -d '\\n'`",
  },
  'bundle/encoded-twice': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of APIService {name} is base64-encoded twice',
    cause:
      'The value of spec.caBundle must be PEM certificates, base64-encoded exactly once. This value was already base64-encoded, and was encoded again.',
    fix: 'Decode the value once: `kubectl patch apiservice {name} --type=merge -p "{\\"spec\\":{\\"caBundle\\":\\"$(kubectl get apiservice {name} -o jsonpath={.spec.caBundle} | base64 --decode | tr -d "\\n")\\"}}"`',
    fileFix: setBundle,
  },
  'bundle/damaged-certificate': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'A certificate in the caBundle of APIService {name} cannot be parsed',
    cause: 'kube-apiserver ignores the damaged certificate, and trusts the other certificates in the caBundle.',
    fix: 'In spec.caBundle, replace the damaged certificate with the whole certificate, from the BEGIN line to the END line. If the certificate is not needed, remove it.',
    explainedBy: ['bundle/private-key'],
  },
  'bundle/empty': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'APIService {name} has no caBundle',
    cause:
      'Without a caBundle, kube-apiserver trusts only the root CAs of its host. These CAs usually do not sign certificates for names such as {host}.',
    fix: 'In an apisvc project, write the caBundle: `apisvc register`. Otherwise, set spec.caBundle to the CA that signed the serving certificate, as base64-encoded PEM.',
    fileFix: `${setBundle}. Or add an annotation that requests the injection of the caBundle, such as cert-manager.io/inject-ca-from.`,
    explainedBy: ['bundle/not-injected', 'registration/outdated-annotation'],
  },
  'bundle/no-such-certificate': {
    severity: 'error',
    hop: 'kube-apiserver',
    title:
      'The annotation cert-manager.io/inject-ca-from of APIService {name} names Certificate {value}, but the files contain Certificate {near}',
    cause:
      "cert-manager's cainjector copies the CA of the Certificate into the caBundle. It injects nothing if the Certificate does not exist.",
    fix: 'Correct the annotation: `kubectl annotate --overwrite apiservice {name} cert-manager.io/inject-ca-from={near}`',
    fileFix: 'Set the annotation cert-manager.io/inject-ca-from to {near} in {file}:{line}.',
  },
  'bundle/not-injected': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: '{injector} has not injected a caBundle into APIService {name}',
    cause:
      'An annotation of the APIService requests the injection. The controller is not running, is not allowed to update APIServices, or cannot find the CA that the annotation refers to.',
    fix: 'Check that {injector} is running. Then check that the annotation "{annotation}" is correct: `kubectl describe apiservice {name}`',
    explainedBy: ['cert-manager/*'],
  },
  'bundle/private-key': {
    severity: 'error',
    hop: 'kube-apiserver',
    title: 'The caBundle of APIService {name} contains a private key',
    cause: 'The caBundle was set from the wrong file. Everyone who can read APIServices can read the private key.',
    fix: 'Treat the private key as compromised, and replace the CA and the serving certificate. In an apisvc project, run: `apisvc rotate --ca`. Otherwise, use the tool that issued the CA, and set spec.caBundle to the new CA.',
    fileFix:
      'The private key is compromised. Create a new CA and a new serving certificate, then set spec.caBundle in {file}:{line} to the certificate of the new CA.',
    projectFix: `The private key is compromised. ${renewInProject}`,
  },
  'bundle/expires-soon': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'The CA {subject} in the caBundle of APIService {name} expires on {date}',
    cause: 'When a CA expires, kube-apiserver rejects every certificate that the CA signed, even if that certificate has not expired.',
    fix: 'Before {deadline}, renew the CA and the serving certificate. In an apisvc project, run: `apisvc rotate --ca`. Otherwise, use the tool that issued the CA, and set spec.caBundle to the new CA.',
    fileFix: renewInFiles,
    projectFix: renewInProject,
  },
  'bundle/not-project-ca': {
    severity: 'warning',
    differs: true,
    hop: 'kube-apiserver',
    title: 'The caBundle of APIService {name} does not contain the CA of the apisvc project',
    cause: 'Either someone changed the caBundle, or someone replaced the CA in the project and did not apply the project to the cluster.',
    fix: 'To keep the CA that is now in the caBundle, restore the certificate and the private key of that CA in certs/. Otherwise, create a new CA while the API keeps serving: `mv certs certs.old && apisvc rotate --ca`',
    fixes:
      'If the CA was rotated in another copy of the project, get certs/ from that copy, for example: `git pull`. To keep the CA that is now in the caBundle, restore the certificate and the private key of that CA in certs/. Otherwise, create a new CA while the API keeps serving: `mv certs certs.old && apisvc rotate --ca`',
    outdated: {
      cause: 'The CA was rotated in another copy of the project. This copy still has the old CA.',
      fix: 'Get the current certs/ from the copy of the project in which the CA was rotated, for example: `git pull`',
    },
    explainedBy: ['cert/unknown-authority', 'cert-manager/*', ...unusable],
  },
  'bundle/unused-ca': {
    severity: 'warning',
    hop: 'kube-apiserver',
    title: 'The caBundle of APIService {name} contains CAs that are not needed ({count})',
    cause:
      'kube-apiserver trusts every CA in the caBundle. Anyone with the private key of one of these CAs can impersonate the extension API server.',
    fix: 'Remove these CAs from spec.caBundle. If one of them will sign the next serving certificate, keep it.',
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
