/**
 * What the errors of kube-apiserver mean. Its words come from Go's net, net/http, crypto/tls and crypto/x509 and from
 * kube-aggregator; they reach us in the Available condition and in the body of a failed request, and are all there is when an endpoint can't be
 * reached from where apisvc runs.
 */
export type GoFault =
  | 'unknown-authority'
  | 'name-mismatch'
  | 'common-name-only'
  | 'expired'
  | 'usage'
  | 'name-constraints'
  | 'not-tls'
  | 'refused'
  | 'timeout'
  | 'no-route'
  | 'bundle-unparsable'
  | 'delegator-missing'
  | 'not-authenticated'
  | 'not-served'
  | 'refused-by-server';

const patterns: readonly (readonly [GoFault, RegExp])[] = [
  ['bundle-unparsable', /unable to load root certificates|unable to parse bytes as PEM block|no valid certificate authority data seen/],
  ['unknown-authority', /x509: certificate signed by unknown authority/],
  ['name-mismatch', /x509: certificate is (?:not )?valid for |x509: cannot validate certificate for/],
  ['common-name-only', /relies on legacy Common Name field/],
  ['expired', /x509: certificate has expired or is not yet valid/],
  ['usage', /incompatible key usage|not authorized for an extended key usage/],
  ['name-constraints', /not authorized to sign for this name|is not permitted by any constraint|issuer has name constraints but leaf/],
  ['not-tls', /server gave HTTP response to HTTPS client|first record does not look like a TLS handshake/],
  ['refused', /connect: connection refused/],
  ['no-route', /no route to host|network is unreachable|No agent available|Address is not allowed/],
  ['timeout', /i\/o timeout|context deadline exceeded|Client\.Timeout exceeded|TLS handshake timeout|timed out waiting for/],
  ['delegator-missing', /(?:subjectaccessreviews|tokenreviews)\.\S+ is forbidden/],
  ['not-authenticated', /Unable to authenticate the request|bad status from \S+: 401\b/],
  ['refused-by-server', /bad status from \S+: 403\b/],
  ['not-served', /bad status from \S+: 404\b/],
];

/** The first fault that the text speaks of; undefined for other words. */
export const readGoWords = (text: string): GoFault | undefined => patterns.find(([, pattern]) => pattern.test(text))?.[0];
