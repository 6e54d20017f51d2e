import type { Severity } from './types.ts';

/**
 * Every finding that apisvc can make, with its words: the one place where a fault is put into English. Words in braces are filled in from the
 * observation's args; every finding may use {name} (of the APIService), {group}, {version}, {service}, {namespace}, {port} and {host} (`<service>.<namespace>.svc`).
 */
export interface CatalogEntry {
  readonly severity: Severity;
  readonly title: string;
  readonly cause: string;
  /** What to do; a command where there is one. */
  readonly fix: string;
  /** Codes, or families as `cert/*`, of which this is only a symptom: where one of them is found, it is shown beneath that. */
  readonly explainedBy?: readonly string[];
}

const anyTransportFault = ['registration/*', 'service/*', 'endpoints/*', 'bundle/*', 'cert/*', 'network/*'];

export const catalog = {
  'registration/missing': {
    severity: 'error',
    title: 'there is no APIService {name}',
    cause: 'The group and version were never registered in this cluster, or the registration was deleted.',
    fix: 'kubectl get apiservices lists the names that there are; apisvc register registers a project.',
  },
  'service/missing': {
    severity: 'error',
    title: 'Service {namespace}/{service} does not exist',
    cause: 'The APIService points at a Service that is not there.',
    fix: 'kubectl -n {namespace} get services; then correct spec.service of the APIService, or create the Service',
  },
  'service/port-missing': {
    severity: 'error',
    title: 'Service {namespace}/{service} has no port {port}',
    cause: "kube-apiserver matches spec.service.port of the APIService with the Service's own port numbers, not with targetPort.",
    fix: 'kubectl patch apiservice {name} --type=merge -p \'{"spec":{"service":{"port":<one of the ports above>}}}\'',
  },
  'endpoints/none': {
    severity: 'error',
    title: 'Service {namespace}/{service} has no endpoints',
    cause: 'No pod matches the selector of the Service, or nobody has made EndpointSlices for a Service without selector.',
    fix: 'kubectl -n {namespace} get pods --show-labels; kubectl -n {namespace} get service {service} -o jsonpath={.spec.selector}',
  },
  'endpoints/not-ready': {
    severity: 'error',
    title: 'no endpoint of Service {namespace}/{service} is ready',
    cause: 'The pods run but do not pass their readiness probe, or do not start.',
    fix: 'kubectl -n {namespace} get pods; kubectl -n {namespace} describe pods; kubectl -n {namespace} logs <pod>',
  },
  'endpoints/port-name-mismatch': {
    severity: 'error',
    title: 'the endpoints of {namespace}/{service} have no port named "{portName}"',
    cause: 'kube-apiserver finds the port of an endpoint by the name of the Service port; the EndpointSlice does not have that name.',
    fix: 'kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={service} -o yaml; give both ports the same name',
  },
  'endpoints/connection-refused': {
    severity: 'error',
    title: 'nothing listens at {endpoints}: connection refused',
    cause: 'The extension API server has stopped, or it listens on another port or only on loopback.',
    fix: 'Start the server; compare its --secure-port and --bind-address with the targetPort of Service {namespace}/{service}.',
  },
  'endpoints/not-tls': {
    severity: 'error',
    title: '{endpoints} does not speak TLS',
    cause:
      'The extension API server answers in plain HTTP, or the targetPort is that of another protocol. kube-apiserver speaks HTTPS only.',
    fix: 'Serve HTTPS on that port (--secure-port, --tls-cert-file, --tls-private-key-file), or correct the targetPort.',
  },
  'endpoints/handshake-failed': {
    severity: 'error',
    title: 'the TLS handshake with {endpoints} fails',
    cause: 'The server ends the connection during the handshake; its log says why.',
    fix: "Read the server's log; it must accept TLS 1.2 or newer and send a certificate for {host}.",
  },
  'network/timeout': {
    severity: 'error',
    title: 'kube-apiserver gets no answer from {endpoints} in time',
    cause: 'A NetworkPolicy, firewall or security group drops the packets from the control plane to the pods, or the server hangs.',
    fix: 'Allow the control plane to reach the port of the pods (managed clusters often allow 443 and 10250 only).',
  },
  'network/no-route': {
    severity: 'error',
    title: 'kube-apiserver has no route to {endpoints}',
    cause: 'The pod network can not be reached from where kube-apiserver runs, or a tunnel to it is down.',
    fix: 'Check the routes or the konnectivity agents; an overlay network may need hostNetwork for the extension API server.',
  },
  'bundle/unparsable': {
    severity: 'error',
    title: 'the caBundle of {name} holds no certificate that can be read',
    cause: 'caBundle must be PEM certificates, base64-encoded once. kube-apiserver does not check it when it is written.',
    fix: 'apisvc register --force-conflicts, or set spec.caBundle to: base64 -w0 < certs/ca.crt',
    explainedBy: ['bundle/private-key'],
  },
  'bundle/empty': {
    severity: 'error',
    title: '{name} has no caBundle',
    cause: 'Without caBundle kube-apiserver trusts the root certificates of its own machine, which do not sign for {host}.',
    fix: 'apisvc register, or set spec.caBundle to the CA that signed the serving certificate',
  },
  'bundle/private-key': {
    severity: 'error',
    title: 'the caBundle of {name} contains a private key',
    cause: 'The wrong file was put into caBundle. Everyone who may read APIServices can read the key.',
    fix: 'Make a new CA and serving certificate (apisvc init --force-keys), register them, and treat the old key as public.',
  },
  'cert/unknown-authority': {
    severity: 'error',
    title: 'the certificate at {endpoints} is not signed by a CA in the caBundle (unknown authority)',
    cause: '{why}',
    fix: 'apisvc register puts the right caBundle in place; without a project, set spec.caBundle to the CA that signed the certificate',
  },
  'cert/issuer-not-a-ca': {
    severity: 'error',
    title: 'the certificate that signed the one at {endpoints} is not allowed to sign certificates',
    cause: 'It lacks basicConstraints CA:TRUE or the key usage keyCertSign (RFC 5280 4.2.1.3, 4.2.1.9).',
    fix: 'Make the CA anew with both, issue the serving certificate from it, and put it into the caBundle.',
  },
  'cert/missing-intermediate': {
    severity: 'error',
    title: 'the server at {endpoints} does not send the intermediate certificate that leads to a CA in the caBundle',
    cause: 'An intermediate CA signed the serving certificate, and neither the server nor the caBundle has it.',
    fix: 'Put the whole chain into tls.crt: the serving certificate first, then every intermediate.',
  },
  'cert/expired': {
    severity: 'error',
    title: 'the certificate at {endpoints} has expired: {date}',
    cause: 'Nobody renewed it, or the server has not loaded the new one.',
    fix: 'Issue a new certificate and register it; if the Secret is newer, restart the server.',
  },
  'cert/not-yet-valid': {
    severity: 'error',
    title: 'the certificate at {endpoints} is not valid before {date}',
    cause: 'The clock of the machine that issued it is ahead, or that of the control plane is behind.',
    fix: 'Check the clocks; then issue the certificate again.',
  },
  'cert/ca-expired': {
    severity: 'error',
    title: 'the CA certificate {subject} expired on {date}',
    cause: 'A certificate is no longer accepted once the CA above it has expired.',
    fix: 'Make a new CA and serving certificate (apisvc init --force-keys), then apisvc register.',
  },
  'cert/ca-not-yet-valid': {
    severity: 'error',
    title: 'the CA certificate {subject} is not valid before {date}',
    cause: 'The clock of the machine that made the CA is ahead, or that of the control plane is behind.',
    fix: 'Check the clocks; then make the CA again.',
  },
  'cert/san-mismatch': {
    severity: 'error',
    title: 'the certificate at {endpoints} is not for {host}',
    cause:
      'kube-apiserver asks for the name {host} whatever the address; the certificate has other names. A server that is given no certificate makes one for "localhost".',
    fix: 'Issue a certificate for {host} and hand it to the server (--tls-cert-file, --tls-private-key-file).',
  },
  'cert/common-name-only': {
    severity: 'error',
    title: 'the certificate at {endpoints} has no subject alternative name',
    cause: 'Go ignores the common name; only subject alternative names count.',
    fix: 'Issue a certificate with the DNS name {host} as subject alternative name.',
  },
  'cert/wrong-usage': {
    severity: 'error',
    title: 'the certificate at {endpoints} is not for servers',
    cause: 'Its extended key usage does not include serverAuth (RFC 5280 4.2.1.12).',
    fix: 'Issue a certificate with extendedKeyUsage serverAuth.',
  },
  'cert/name-constraints': {
    severity: 'error',
    title: 'the CA {subject} may not sign for the names of the certificate at {endpoints}',
    cause: 'Its name constraints do not permit them (RFC 5280 4.2.1.10).',
    fix: 'Use a CA made for {host}, or one without name constraints.',
  },
  'cert/path-length': {
    severity: 'error',
    title: 'the CA {subject} may not have so many CAs below it',
    cause: 'Its basicConstraints carry a pathLenConstraint (RFC 5280 4.2.1.9) that the chain at {endpoints} exceeds.',
    fix: 'Issue the serving certificate from the CA itself, or use a CA without that limit.',
  },
  'cert/weak-signature': {
    severity: 'error',
    title: 'the certificate {subject} at {endpoints} is signed with {algorithm}',
    cause: 'Go does not accept signatures made with MD5 or SHA-1.',
    fix: 'Issue it again with SHA-256 or better.',
  },
  'cert/refused-key': {
    severity: 'error',
    title: 'the certificate {subject} at {endpoints} has a key that Go refuses ({algorithm})',
    cause: 'Go does not accept RSA keys under 1024 bits.',
    fix: 'Issue it again with ecdsa-p256 or rsa-2048.',
  },
  'cert/weak-key': {
    severity: 'warning',
    title: 'the certificate {subject} at {endpoints} has a weak key ({algorithm})',
    cause: 'RSA keys under 2048 bits can be broken; Go rejects those under 1024.',
    fix: 'Issue it again with ecdsa-p256 or rsa-2048.',
  },
  'security/insecure-skip-tls-verify': {
    severity: 'warning',
    title: '{name} has insecureSkipTLSVerify: true',
    cause: 'kube-apiserver sends the identities of its users to whoever answers at the address of the Service.',
    fix: 'Register the API with a caBundle: apisvc init, apisvc register',
  },
  'auth/delegator-missing': {
    severity: 'error',
    title: 'the extension API server may not ask kube-apiserver who is allowed what',
    cause: 'Its ServiceAccount is not bound to the ClusterRole system:auth-delegator.',
    fix: 'kubectl create clusterrolebinding {service}-auth-delegator --clusterrole=system:auth-delegator --serviceaccount={namespace}:<service account>',
  },
  'auth/proxy-not-trusted': {
    severity: 'error',
    title: 'the extension API server does not accept the identity that kube-apiserver sends (401)',
    cause:
      'It does not trust the client certificate of the aggregator: the requestheader CA differs, was rotated, or was not read from extension-apiserver-authentication in kube-system.',
    fix: 'Restart the server; check its RoleBinding to extension-apiserver-authentication-reader in kube-system.',
  },
  'auth/refused-by-server': {
    severity: 'error',
    title: 'the extension API server refuses requests that kube-apiserver lets through (403)',
    cause:
      'It takes kube-apiserver or its users for somebody else (system:anonymous when it does not trust the client certificate of the aggregator), or has rules of its own.',
    fix: "Read the server's log; check its RoleBinding to extension-apiserver-authentication-reader in kube-system and its ClusterRoleBinding to system:auth-delegator.",
  },
  'discovery/not-found': {
    severity: 'error',
    title: 'the extension API server does not serve {group}/{version} (404)',
    cause: 'The server knows other groups or versions than the one registered.',
    fix: 'Compare spec.group and spec.version of the APIService with what the server serves at /apis.',
  },
  'discovery/not-a-resource-list': {
    severity: 'error',
    title: 'the discovery document of {group}/{version} is not an APIResourceList',
    cause: 'Something else answers at this address, or the server has a fault. Clients can not learn the resources.',
    fix: 'kubectl get --raw /apis/{group}/{version}',
  },
  'discovery/wrong-group-version': {
    severity: 'error',
    title: 'the discovery document is that of {served}, not of {group}/{version}',
    cause: 'The APIService points at a server of another group or version.',
    fix: 'Correct spec.service of the APIService, or the server.',
  },
  'discovery/no-resources': {
    severity: 'error',
    title: '{group}/{version} is served, but has no resources',
    cause: 'The server installs the group without storage for any resource, or they are switched off by --runtime-config.',
    fix: 'kubectl get --raw /apis/{group}/{version}',
  },
  'discovery/request-failed': {
    severity: 'error',
    title: 'GET /apis/{group}/{version} through the aggregator answers {status}',
    cause:
      'kube-apiserver could not get an answer from the extension API server, or the server itself failed; the body below is what it says.',
    fix: "Read the body; then the extension API server's log.",
    explainedBy: [...anyTransportFault, 'auth/*', 'discovery/not-found', 'control-plane/*'],
  },
  'control-plane/not-available': {
    severity: 'error',
    title: '{name} is not Available: {reason}',
    cause: 'The availability controller of kube-apiserver says so; the message is its own.',
    fix: 'Read the message; kubectl get apiservice {name} -o yaml',
    explainedBy: [...anyTransportFault, 'auth/*', 'discovery/not-found'],
  },
  'control-plane/no-condition': {
    severity: 'error',
    title: '{name} has no Available condition',
    cause: 'The availability controller has not written one: the APIService is new, or (on 1.36 and newer) its caBundle can not be parsed.',
    fix: 'Wait a few seconds: apisvc verify {name} --wait',
    explainedBy: anyTransportFault,
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;

export type Code = keyof typeof catalog;

/** The entry of a code, without the literal types of the table. */
export const entryOf = (code: Code): CatalogEntry => catalog[code];

/** Where a code is described for people. */
export const linkOf = (code: Code): string => `docs/findings.md#${code.replace('/', '')}`;

/** Whether `code` is one of `patterns`: a code, or a family written `cert/*`. */
export const matchesCode = (code: Code, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => pattern === code || (pattern.endsWith('/*') && code.startsWith(pattern.slice(0, -1))));

/**
 * Fills the words in braces.
 * @throws Error for a word without a value: a defect of the check that made the observation
 */
export function fill(template: string, args: Readonly<Record<string, string>>): string {
  return template.replace(/\{([a-zA-Z]+)\}/g, (_, key: string) => {
    const value = args[key];
    if (value === undefined) throw new Error(`no value for {${key}} in "${template}"`);
    return value;
  });
}
