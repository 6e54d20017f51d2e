/**
 * The faults in the error messages of kube-apiserver. The messages come from kube-aggregator and
 * from Go's net, net/http, crypto/tls and crypto/x509. They are in the Available condition and in
 * the body of a failed request. If an endpoint is not reachable from where apisvc runs, they are
 * the only source.
 */
export type GoFault =
  | 'unknown-authority'
  | 'not-a-ca'
  | 'weak-signature'
  | 'name-mismatch'
  | 'common-name-only'
  | 'expired'
  | 'usage'
  | 'name-constraints'
  | 'path-length'
  | 'not-tls'
  | 'tls-version'
  | 'client-certificate'
  | 'refused'
  | 'timeout'
  | 'no-route'
  | 'no-agent'
  | 'address-not-allowed'
  | 'http-proxy'
  | 'lost'
  | 'headless'
  | 'unsupported-type'
  | 'no-such-host'
  | 'bundle-unparsable'
  | 'delegator-missing'
  | 'client-name'
  | 'not-authenticated'
  | 'not-served'
  | 'refused-by-server'
  | 'redirected'
  | 'server-error';

/** The order matters: Go appends the reason to `unknown authority`, so the reasons come first. */
const patterns: readonly (readonly [GoFault, RegExp])[] = [
  ['bundle-unparsable', /unable to load root certificates|unable to parse bytes as PEM block|no valid certificate authority data seen/],
  ['weak-signature', /insecure algorithm (?:MD[25]|SHA1)/],
  ['not-a-ca', /parent certificate cannot sign this kind of certificate|certificate is not authorized to sign other certificates/],
  ['unknown-authority', /x509: certificate signed by unknown authority/],
  ['name-mismatch', /x509: certificate is (?:not )?valid for |x509: cannot validate certificate for/],
  ['common-name-only', /relies on legacy Common Name field/],
  ['expired', /x509: certificate has expired or is not yet valid/],
  ['usage', /incompatible key usage|not authorized for an extended key usage/],
  ['name-constraints', /not authorized to sign for this name|is not permitted by any constraint|issuer has name constraints but leaf/],
  ['path-length', /too many intermediates for path length constraint/],
  [
    'client-certificate',
    /remote error: tls: (?:bad certificate|unknown certificate|certificate required|certificate unknown|expired certificate)/,
  ],
  ['tls-version', /tls: (?:protocol version not supported|server selected unsupported protocol version)/],
  ['not-tls', /server gave HTTP response to HTTPS client|first record does not look like a TLS handshake/],
  ['headless', /cannot route to service with ClusterIP "None"/],
  ['unsupported-type', /unsupported service type/],
  ['no-agent', /No agent available/],
  ['address-not-allowed', /Address is not allowed/],
  ['http-proxy', /proxyconnect tcp|(?:": |service: )(?:Forbidden|Proxy Authentication Required|Bad Gateway)\s*$/],
  [
    'no-such-host',
    /\blookup \S{1,255}(?: on \S{1,64})?: (?:.{0,100}: )?(?:no such host|server misbehaving|i\/o timeout|network is unreachable|no route to host|connection refused)/,
  ],
  ['refused', /connect: connection refused/],
  ['no-route', /no route to host|network is unreachable/],
  ['timeout', /i\/o timeout|context deadline exceeded|Client\.Timeout exceeded|TLS handshake timeout|timed out waiting for/],
  // Over HTTP/2, the alert of a server that closes the connection may be lost too
  // (golang.org/x/net/http2, errClientConnNotEstablished).
  ['lost', /(?:: |^)(?:unexpected )?EOF\s*$|connection reset by peer|write: broken pipe|http2: client conn(?:ection)? /],
  ['delegator-missing', /(?:subjectaccessreviews|tokenreviews)\.\S+ is forbidden/],
  ['client-name', /subject with cn=.{0,300} is not in the allowed list/],
  ['not-authenticated', /Unable to authenticate the request|bad status from \S+: 401\b/],
  ['refused-by-server', /bad status from \S+: 403\b/],
  ['not-served', /bad status from \S+: 404\b/],
  ['redirected', /bad status from \S+: 3\d\d\b/],
  ['server-error', /bad status from \S+: [45]\d\d\b/],
];

/** The fault is at the start of a message. Limits the time for long answers of servers. */
const maxLength = 16_384;

/**
 * The first fault in a message.
 * @param among looks only for these faults; by default for all
 * @returns undefined for other messages
 */
export const parseGoError = (text: string, among?: ReadonlySet<GoFault>): GoFault | undefined => {
  const start = text.slice(0, maxLength);
  return patterns.find(([fault, pattern]) => (among?.has(fault) ?? true) && pattern.test(start))?.[0];
};
