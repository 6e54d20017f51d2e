import type { Code } from '../catalog.ts';

const setBundle = "Set spec.caBundle in {file}:{line} to the output of `base64 < ca.crt | tr -d '\\n'`";
const renew = 'Renew the CA and the serving certificate with the tool that issued them, and update spec.caBundle in {file}:{line}.';

/**
 * What to do about a finding in files, where the fix for a cluster would change the cluster. Every
 * entry may use {file} and {line} of the finding.
 */
export const fileFixes: Partial<Readonly<Record<Code, string>>> = {
  'registration/name-mismatch': 'Set metadata.name to {expected} in {file}:{line}, or correct spec.group and spec.version.',
  'registration/insecure-with-bundle': 'Remove insecureSkipTLSVerify in {file}:{line}, and keep the caBundle.',
  'registration/automanaged-label': 'Remove the label kube-aggregator.kubernetes.io/automanaged in {file}:{line}.',
  'registration/two-injectors': 'Keep one annotation, and remove {annotation} in {file}:{line}.',
  'registration/injector-blocked': 'Remove insecureSkipTLSVerify in {file}:{line}.',
  'registration/priority-too-high': 'Set spec.groupPriorityMinimum to 1000 in {file}:{line}.',
  'service/port-missing': 'Set spec.service.port to {servicePort} in {file}:{line}, or add port {port} to the Service.',
  'service/other-port': 'Set spec.service.port to {servicePort} in {file}:{line}.',
  'service/not-tcp': 'Set spec.ports[{index}].protocol of the Service to TCP in {file}:{line}.',
  'service/wrong-target-port': 'Set spec.ports[{index}].targetPort to {listening} in {file}:{line}.',
  'bundle/unparsable': setBundle,
  'bundle/der':
    "Convert the CA to PEM: `openssl x509 -inform der -in ca.der -out ca.crt`. Then set spec.caBundle in {file}:{line} to the output of `base64 < ca.crt | tr -d '\\n'`",
  'bundle/encoded-twice': setBundle,
  'bundle/empty': `${setBundle}; or add the annotation of a controller that injects it, such as cert-manager.io/inject-ca-from`,
  'bundle/private-key':
    'The private key is compromised. Create a new CA and a new serving certificate, then set spec.caBundle in {file}:{line} to the certificate of the new CA.',
  'bundle/expires-soon': renew,
  'security/insecure-skip-tls-verify':
    'Set spec.caBundle to the CA that signed the serving certificate, and remove insecureSkipTLSVerify in {file}:{line}.',
  'bundle/no-such-certificate': 'Set the annotation cert-manager.io/inject-ca-from to {near} in {file}:{line}.',
  'registration/outdated-annotation': 'Replace the annotation {annotation} with {replacement} in {file}:{line}.',
  'cert/self-generated':
    'Mount a Secret with a certificate for {host} into the pods, and set --tls-cert-file and --tls-private-key-file of the extension API server to the mounted files.',
  'cert/san-mismatch': 'Issue the certificate in {file}:{line} with the DNS name {host}.',
  'cert/secret-unreadable': 'Set {certificateEntry} in {file}:{line} to a PEM certificate.',
  'security/key-mismatch': 'Replace {certificateEntry} and {keyEntry} in {file}:{line} with a certificate and its private key.',
  'security/ca-key-in-secret': 'Store the private key of the CA elsewhere, and remove {key} in {file}:{line}.',
  'auth/reader-missing':
    'Bind the ServiceAccount in namespace kube-system. Replace the binding in {file}:{line} with the output of `kubectl -n kube-system create rolebinding {service}-auth-reader --role=extension-apiserver-authentication-reader --serviceaccount={serviceAccount} --dry-run=client -o yaml`',
  'auth/delegator-missing':
    'Bind the ServiceAccount to system:auth-delegator. Replace the binding in {file}:{line} with the output of `kubectl create clusterrolebinding {service}-auth-delegator --clusterrole=system:auth-delegator --serviceaccount={serviceAccount} --dry-run=client -o yaml`',
  'cert/unknown-authority':
    'Set spec.caBundle in {file}:{line} to the CA that signed the certificate, or issue the certificate from a CA in the caBundle.',
  'cert/expired': 'Issue a new serving certificate, and update the Secret. If the CA is new too, update spec.caBundle in {file}:{line}.',
  'cert/ca-expired': renew,
  'cert/expires-soon': 'Issue a new serving certificate, and update the Secret.',
  'cert/ca-expires-before-leaf': renew,
};

const otherwise = 'Otherwise, create a new CA and a new serving certificate: `apisvc init --force-keys`';
const renewInProject = `If the API is registered, replace the CA while the API keeps serving: \`apisvc rotate --ca\`. ${otherwise}`;
const renewLeafInProject = `If the API is registered, replace the certificate while the API keeps serving: \`apisvc rotate\`. ${otherwise}`;

/** The same for the files of a project. New files from `apisvc init` mean an outage. */
export const projectFixes: typeof fileFixes = {
  'bundle/private-key': `The private key is compromised. ${renewInProject}`,
  'bundle/expires-soon': renewInProject,
  'cert/unknown-authority':
    'Restore the CA that signed the certificate in {file}. Or create a new CA and a new serving certificate: `apisvc init --force-keys`',
  'cert/issuer-not-a-ca': renewInProject,
  'cert/missing-intermediate': renewInProject,
  'cert/expired': renewLeafInProject,
  'cert/ca-expired': renewInProject,
  'cert/san-mismatch': renewInProject,
  'cert/common-name-only': renewInProject,
  'cert/wrong-usage': renewLeafInProject,
  'cert/name-constraints': renewInProject,
  'cert/path-length': renewInProject,
  'cert/weak-signature': renewLeafInProject,
  'cert/refused-key': renewInProject,
  'cert/weak-key': renewInProject,
  'cert/expires-soon': renewLeafInProject,
  'cert/ca-expires-before-leaf': renewInProject,
};
