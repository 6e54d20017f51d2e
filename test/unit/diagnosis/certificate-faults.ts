import { X509Certificate } from 'node:crypto';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import { caConstraints, extendedKeyUsage, keyUsage, nameConstraints, subjectAltName } from '../../../src/pki/extensions.ts';
import type { CertificateInfo } from '../../../src/pki/types.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { fixture, inDays, make, makeCa } from '../pki/certificates.ts';
import { root, secret, server } from './everything.ts';
import { crashes, injected, injectedInto, nothingRelated, registered, reports, withServer } from './fault-parts.ts';
import {
  absent,
  answers,
  api,
  base64,
  bundleOf,
  ca,
  gone,
  host,
  leafCertificate,
  leafFor,
  otherCa,
  seen,
  serves,
  unavailable,
} from './snapshots.ts';

/** Serving certificates, and the CAs that must have signed them: see faults.ts. */

const san = subjectAltName({ dns: [host], ip: [] }, false);
const trusting = (...certificates: readonly CertificateInfo[]): ApiSnapshot['apiService'] =>
  seen({ ...api, caBundle: bundleOf(...certificates) });

const inner = await makeCa({ commonName: 'inner', issuer: root });
const innermost = await makeCa({ commonName: 'innermost', issuer: inner });
const outsider = await make({ commonName: 'no CA' });
const shallow = await makeCa({ commonName: 'shallow', extensions: [caConstraints(0), keyUsage('keyCertSign')] });
const narrow = await makeCa({
  commonName: 'narrow',
  extensions: [caConstraints(2), keyUsage('keyCertSign'), nameConstraints({ dns: ['other.svc'], ip: [] })],
});
const leafOf = async (issuer: typeof root, extensions = [san]) => (await make({ commonName: 'leaf', issuer, extensions })).info;
const below = await makeCa({ commonName: 'below', issuer: shallow });
const earlyCa = await makeCa({ commonName: 'early', notBefore: inDays(2), notAfter: inDays(900) });
export const oldCa = await makeCa({ commonName: 'old', notBefore: inDays(-9), notAfter: inDays(-1) });
export const soonCa = await makeCa({ commonName: 'soon', notAfter: inDays(10) });
const shortLived = await leafFor([host], 20);
const shortCa = await makeCa({ commonName: 'short', notAfter: inDays(100) });
const longLeaf = (await make({ commonName: 'leaf', issuer: shortCa, extensions: [san], notAfter: inDays(200) })).info;
const trustingWith = (certificate: CertificateInfo): Partial<ApiSnapshot> => ({ apiService: trusting(certificate) });
const localhost = subjectAltName({ dns: ['localhost'], ip: [] }, false);

export const certificateFaults = {
  'bundle/unparsable': { apiService: seen({ ...api, caBundle: 'Cg==' }) },
  'bundle/empty': {
    apiService: seen({ ...unavailable('Get "https://10.0.0.1": x509: certificate signed by unknown authority'), caBundle: '' }),
    aggregated: answers(503, 'service unavailable'),
  },
  'bundle/private-key': { apiService: seen({ ...api, caBundle: base64(`${ca.pem}${fixture('key-sec1.pem')}`) }) },
  'cert/unknown-authority': { apiService: trusting(otherCa), aggregated: gone },
  'cert/issuer-not-a-ca': { apiService: trusting(outsider.info), probes: seen([serves(await leafOf(outsider))]) },
  'cert/missing-intermediate': { apiService: trusting(root.info), probes: seen([serves(await leafOf(innermost), inner.info)]) },
  'cert/expired': { probes: seen([serves({ ...leafCertificate, notAfter: inDays(-1).toISOString() })]) },
  'cert/not-yet-valid': { probes: seen([serves({ ...leafCertificate, notBefore: inDays(1).toISOString() })]) },
  'cert/ca-expired': { apiService: trusting(oldCa.info), probes: seen([serves(await leafOf(oldCa))]) },
  'cert/ca-not-yet-valid': { apiService: trusting(earlyCa.info), probes: seen([serves(await leafOf(earlyCa))]) },
  'cert/san-mismatch': {
    probes: seen([serves(await leafFor(['api.other.svc']))]),
  },
  'cert/common-name-only': { apiService: trusting(root.info), probes: seen([serves(await leafOf(root, []))]) },
  'cert/wrong-usage': {
    apiService: trusting(root.info),
    probes: seen([serves(await leafOf(root, [san, extendedKeyUsage(['clientAuth'])]))]),
  },
  'cert/name-constraints': { apiService: trusting(narrow.info), probes: seen([serves(await leafOf(narrow))]) },
  'cert/path-length': { apiService: trusting(shallow.info), probes: seen([serves(await leafOf(below), below.info)]) },
  'cert/weak-signature': { probes: seen([serves({ ...leafCertificate, signatureAlgorithm: 'sha1WithRSAEncryption' })]) },
  'cert/refused-key': { probes: seen([serves({ ...leafCertificate, publicKey: 'rsa-512' })]) },
  'cert/weak-key': { probes: seen([serves({ ...leafCertificate, publicKey: 'rsa-1024' })]) },
  'bundle/der': registered({ caBundle: new X509Certificate(ca.pem).raw.toString('base64') }),
  'bundle/encoded-twice': registered({ caBundle: base64(api.caBundle) }),
  'bundle/damaged-certificate': registered({ caBundle: base64(`${ca.pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`) }),
  'bundle/no-such-certificate': {
    related: { ...nothingRelated, missingCertificate: { value: 'wardle/apy', near: 'wardle/api', why: 'not in the files' } },
  },
  'bundle/not-injected': { ...reports('x509: certificate signed by unknown authority'), ...injectedInto(injected) },
  'bundle/expires-soon': { ...trustingWith(soonCa.info), probes: seen([serves(await leafOf(soonCa))]) },
  'bundle/unused-ca': { apiService: trusting(ca, root.info) },
  'cert/self-generated': { probes: seen([serves(await leafOf(outsider, [localhost]))]), aggregated: gone },
  'cert/secret-missing': {
    secret: absent,
    ...withServer({ state: { kind: 'waiting', reason: 'CreateContainerConfigError', message: 'no' } }),
    aggregated: gone,
  },
  'cert/secret-unreadable': {
    secret: seen({ ...secret, certificates: [], keyMatches: undefined }),
    aggregated: gone,
    ...crashes('tls: failed to find any PEM data in certificate input'),
  },
  'cert/sub-path-mount': { server: seen({ ...server, secrets: [{ name: 'api-tls', mountPath: '/certs/tls.crt', subPath: true }] }) },
  'cert/secret-differs': {
    probes: seen([serves({ ...leafCertificate, notAfter: inDays(-1).toISOString(), fingerprint: 'AA' })]),
    secret: seen(secret),
    aggregated: gone,
  },
  'cert/expires-soon': { probes: seen([serves(shortLived)]) },
  'cert/ca-expires-before-leaf': {
    ...trustingWith(shortCa.info),
    probes: seen([serves(longLeaf)]),
  },
} satisfies Partial<Readonly<Record<Code, Partial<ApiSnapshot>>>>;
