import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseGoError } from '../../../src/diagnosis/go-errors.ts';

/**
 * Messages from the source of Go's crypto/x509, crypto/tls, net and net/http, and of
 * kube-aggregator.
 */
describe('a message of kube-apiserver', () => {
  test.each([
    ['unknown-authority', 'tls: failed to verify certificate: x509: certificate signed by unknown authority'],
    [
      'unknown-authority',
      'x509: certificate signed by unknown authority (possibly because of "crypto/rsa: verification error" while trying to verify candidate authority certificate "api-ca")',
    ],
    ['name-mismatch', 'x509: certificate is valid for localhost, localhost, not api.wardle.svc'],
    ['name-mismatch', 'x509: certificate is not valid for any names, but wanted to match api.wardle.svc'],
    ['name-mismatch', 'x509: certificate is valid for 101 names, but none matched api.wardle.svc'],
    ['name-mismatch', "x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs"],
    ['common-name-only', 'x509: certificate relies on legacy Common Name field, use SANs instead'],
    ['expired', 'x509: certificate has expired or is not yet valid: current time 2026-06-15T12:00:00Z is after 2026-06-14T12:00:00Z'],
    ['usage', 'x509: certificate specifies an incompatible key usage'],
    ['usage', 'x509: a root or intermediate certificate is not authorized for an extended key usage: '],
    [
      'name-constraints',
      'x509: a root or intermediate certificate is not authorized to sign for this name: DNS name "a" is not permitted by any constraint',
    ],
    ['name-constraints', "x509: issuer has name constraints but leaf doesn't have a SAN extension"],
    ['not-tls', 'error trying to reach service: http: server gave HTTP response to HTTPS client'],
    ['not-tls', 'tls: first record does not look like a TLS handshake'],
    ['refused', 'error trying to reach service: dial tcp 10.96.0.7:443: connect: connection refused'],
    ['timeout', 'dial tcp 10.244.1.7:8443: i/o timeout'],
    ['timeout', 'Get "https://10.96.0.7:443/apis/g/v1": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'],
    ['timeout', 'net/http: TLS handshake timeout'],
    ['timeout', 'timed out waiting for https://10.96.0.7:443/apis/g/v1'],
    ['no-route', 'dial tcp 10.96.0.7:443: connect: no route to host'],
    ['no-route', 'dial tcp 10.96.0.7:443: connect: network is unreachable'],
    ['no-agent', 'error trying to reach service: No agent available'],
    ['address-not-allowed', 'error trying to reach service: Address is not allowed'],
    ['http-proxy', 'error trying to reach service: Forbidden'],
    ['http-proxy', 'failing or missing response from https://10.0.0.1:443/a: Get "https://10.0.0.1:443/a": Forbidden'],
    ['http-proxy', 'error trying to reach service: proxyconnect tcp: dial tcp 10.9.9.9:3128: connect: connection refused'],
    ['lost', 'failing or missing response from https://10.0.0.1:443/a: Get "https://10.0.0.1:443/a": EOF'],
    ['lost', 'error trying to reach service: read tcp 10.0.0.2:4711->10.1.0.1:8443: read: connection reset by peer'],
    ['lost', 'Get "https://10.1.0.1:8443/apis/g/v1": write tcp 10.0.0.2:4711->10.1.0.1:8443: write: broken pipe'],
    ['lost', 'Get "https://10.1.0.1:8443/apis/g/v1": http2: client conn could not be established'],
    ['headless', 'cannot route to service with ClusterIP "None"'],
    ['unsupported-type', 'unsupported service type "ExternalName"'],
    ['no-such-host', 'error trying to reach service: dial tcp: lookup api.example.org on 10.0.0.10:53: no such host'],
    ['no-such-host', 'dial tcp: lookup api.example.org: i/o timeout'],
    ['no-such-host', 'dial tcp: lookup api.example.org on 10.0.0.53:53: dial udp 10.0.0.53:53: connect: network is unreachable'],
    ['tls-version', 'remote error: tls: protocol version not supported'],
    ['client-certificate', 'error trying to reach service: remote error: tls: unknown certificate authority'],
    ['client-certificate', 'remote error: tls: certificate required'],
    ['not-a-ca', 'x509: certificate is not authorized to sign other certificates'],
    [
      'not-a-ca',
      'x509: certificate signed by unknown authority (possibly because of "x509: invalid signature: parent certificate cannot sign this kind of certificate" while trying to verify candidate authority certificate "api-ca")',
    ],
    [
      'weak-signature',
      'x509: certificate signed by unknown authority (possibly because of "x509: cannot verify signature: insecure algorithm SHA1-RSA" while trying to verify candidate authority certificate "api-ca")',
    ],
    ['path-length', 'x509: too many intermediates for path length constraint'],
    ['client-name', '[x509: subject with cn=kubernetes-admin is not in the allowed list, token]'],
    ['redirected', 'failing or missing response from https://10.0.0.1/a: bad status from https://10.0.0.1/a: 302'],
    ['server-error', 'failing or missing response from https://10.0.0.1/apis/g/v1: bad status from https://10.0.0.1/apis/g/v1: 500'],
    ['server-error', 'failing or missing response from https://10.0.0.1/apis/g/v1: bad status from https://10.0.0.1/apis/g/v1: 429'],
    ['bundle-unparsable', 'unable to load root certificates: unable to parse bytes as PEM block'],
    ['bundle-unparsable', 'unable to load root certificates: no valid certificate authority data seen'],
    [
      'delegator-missing',
      'Internal Server Error: "/apis/g/v1": subjectaccessreviews.authorization.k8s.io is forbidden: User "system:serviceaccount:ns:sa" cannot create resource "subjectaccessreviews"',
    ],
    ['not-authenticated', 'Unable to authenticate the request'],
    ['not-authenticated', 'failing or missing response from https://10.0.0.1/a: bad status from https://10.0.0.1/a: 401'],
    ['not-served', 'failing or missing response from https://10.0.0.1/a: bad status from https://10.0.0.1/a: 404'],
    ['refused-by-server', 'failing or missing response from https://10.0.0.1/a: bad status from https://10.0.0.1/a: 403'],
    ['not-authenticated', 'failing or missing response from https://10.0.0.1/apis/g/v1: bad status from https://10.0.0.1/apis/g/v1: 401'],
    ['not-served', 'failing or missing response from https://10.0.0.1/apis/g/v1: bad status from https://10.0.0.1/apis/g/v1: 404'],
  ])('%s: %s', (fault, text) => {
    expect(parseGoError(text)).toBe(fault);
  });

  test.each([
    'service unavailable',
    'all checks passed',
    'service/api in "wardle" is not present',
    'User "jane" cannot get path "/apis/g/v1": Forbidden by policy',
    '',
  ])('no fault: %s', (text) => {
    expect(parseGoError(text)).toBeUndefined();
  });
});

describe('a long text', () => {
  test.each([
    ['name-mismatch', 'x509: certificate is valid for '.repeat(40_000)],
    [undefined, `subjectaccessreviews.${'a.'.repeat(500_000)}`],
    [undefined, 'lookup x '.repeat(100_000)],
    [undefined, 'subject with cn='.repeat(60_000)],
  ])('%s', (fault, text) => {
    expect(parseGoError(text)).toBe(fault);
  });
});

test('any text before a fault', () => {
  fc.assert(fc.property(fc.string(), (text) => parseGoError(`${text} connect: connection refused`) !== undefined));
});
