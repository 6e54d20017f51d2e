import { expect, test } from 'vitest';
import { connectionFix, type Destination } from '../../../src/cluster/connection-fix.ts';

const to: Destination = {
  server: 'https://kube.example.com:6443',
  context: 'c',
  cluster: 'my cluster',
  user: 'jane',
  tlsServerName: undefined,
  ca: undefined,
  proxy: undefined,
  hasClientCertificate: false,
};
const set = "kubectl config set-cluster 'my cluster'";

test.each<[string, RegExp | string]>([
  ['dial tcp 10.0.0.1:6443: connect: connection refused', /^Check that the cluster is running, and that --context and --kubeconfig/],
  ['dial tcp: lookup kube.example.com: no such host', /^Check the DNS and VPN settings .* server of cluster "my cluster"/],
  ['dial tcp: lookup kube.example.com: server misbehaving', /^Check the DNS/],
  ['dial tcp 10.0.0.1:6443: i/o timeout', /^Check that this machine can reach kube\.example\.com:6443/],
  ['dial tcp 10.0.0.1:6443: connect: no route to host', /^Check that this machine can reach/],
  ['net/http: TLS handshake timeout', /^Check that this machine can reach/],
  [
    'tls: failed to verify certificate: x509: certificate signed by unknown authority',
    `Set the CA of the cluster: ${set} --certificate-authority=CA_FILE --embed-certs`,
  ],
  [
    'tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time A is after B',
    /clock of this machine.* renew the certificate/,
  ],
  [
    'tls: failed to verify certificate: x509: certificate relies on legacy Common Name field, use SANs instead',
    /kube\.example\.com in its subjectAltName/,
  ],
  ['http: server gave HTTP response to HTTPS client', `${set} --server=https://HOST:6443`],
  ['tls: first record does not look like a TLS handshake', /^A program other than kube-apiserver listens on this port/],
  [
    'remote error: tls: certificate required',
    'The server requires a client certificate. Set the client certificate and its key, or log in again: kubectl config set-credentials jane',
  ],
  ['remote error: tls: protocol version not supported', /TLS 1\.2 or newer/],
  ['EOF', /no proxy or load balancer closes the connection\.$/],
  ['write tcp 10.0.0.1:6443: write: broken pipe', /closes the connection/],
])('%s', (message, fix) => {
  const found = connectionFix(message, to);
  if (typeof fix === 'string') expect(found).toContain(fix);
  else expect(found).toMatch(fix);
});

test.each<[string[], string]>([
  [['*.example.com', 'kubernetes.default'], `${set} --tls-server-name=kubernetes.default`],
  [['*.example.com', '10.0.0.1'], `${set} --server=https://10.0.0.1:6443`],
  [['2001:db8::1'], `${set} --server=https://[2001:db8::1]:6443`],
  [['*.example.com'], 'Issue a certificate for kube-apiserver with kube.example.com in its subjectAltName.'],
])('a certificate for other names: %j', (names, fix) => {
  const message = `tls: failed to verify certificate: x509: certificate is valid for ${names}, not kube.example.com`;
  expect(connectionFix(message, to, names)).toContain(fix);
});

test.each(['bad certificate', 'unknown certificate authority', 'expired certificate', 'certificate required'])(
  'the alert "%s" is about the client certificate',
  (alert) => {
    const found = connectionFix(`remote error: tls: ${alert}`, { ...to, hasClientCertificate: true });
    expect(found).toMatch(/^The server rejects the client certificate of user "jane"\. .*kubectl config set-credentials jane /);
  },
);

test('a server with http:// may need https://', () => {
  const plain = { ...to, server: 'http://kube.example.com:6443' };
  expect(connectionFix('EOF', plain)).toContain('https:// instead of http://');
  expect(connectionFix('net/http: HTTP/1.x transport connection broken: malformed HTTP response "\\x15"', plain)).toContain(
    `${set} --server=https://kube.example.com:6443`,
  );
});

test('the fix for a proxy says where it is set, without its password', () => {
  const url = 'http://me:secret@proxy:3128';
  const message = 'proxyconnect tcp: dial tcp 10.0.0.1:3128: connect: connection refused';
  expect(connectionFix(message, { ...to, proxy: { url, from: 'HTTPS_PROXY' } })).toBe(
    'Check the proxy http://proxy:3128, which HTTPS_PROXY sets, or add kube.example.com to NO_PROXY.',
  );
  expect(connectionFix(message, { ...to, proxy: { url, from: undefined } })).toBe(
    'Check the proxy http://proxy:3128, which proxy-url of cluster "my cluster" in the kubeconfig sets.',
  );
});
