import { expect, test } from 'vitest';
import { caConstraints, keyUsage, subjectAltName } from '../../../src/pki/extensions.ts';
import { generateKeyPair } from '../../../src/pki/keys.ts';
import type { CertificateInfo } from '../../../src/pki/types.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { inDays, make, makeCa } from '../pki/certificates.ts';
import { everything } from './everything.ts';
import {
  answers,
  api,
  bundleOf,
  ca,
  codes,
  diagnosed,
  host,
  inYears,
  leafCertificate,
  leafFor,
  otherCa,
  seen,
  serves,
  service,
} from './snapshots.ts';

/** Valid configurations that must not give a finding. */

const san = subjectAltName({ dns: [host], ip: [] }, false);
const root = await makeCa({ commonName: 'root', notAfter: inYears(20) });
const inner = await makeCa({ commonName: 'inner', issuer: root, notAfter: inYears(5) });
const innermost = await makeCa({ commonName: 'innermost', issuer: inner, notAfter: inYears(3) });
const chained = (await make({ commonName: 'leaf', issuer: innermost, extensions: [san] })).info;

// The new root: self-signed, and signed by the old one, which expires soon.
const oldRoot = await makeCa({ commonName: 'old root', notAfter: inDays(20) });
const newRoot = await makeCa({ commonName: 'new root', notAfter: inYears(20) });
const cross = await makeCa({ commonName: 'new root', issuer: oldRoot, keyPair: newRoot.keyPair, notAfter: inDays(20) });
const crossed = (await make({ commonName: 'leaf', issuer: newRoot, extensions: [san] })).info;

const rsaRoot = await makeCa({ commonName: 'rsa root', keyPair: await generateKeyPair('rsa-2048'), notAfter: inYears(9) });
const ecUnderRsa = (await make({ commonName: 'leaf', issuer: rsaRoot, extensions: [san] })).info;
const wildcard = (await make({ commonName: 'leaf', issuer: root, extensions: [subjectAltName({ dns: ['*.wardle.svc'], ip: [] }, false)] }))
  .info;
const nextCa = await makeCa({ commonName: 'next', extensions: [caConstraints(0), keyUsage('keyCertSign')], notAfter: inYears(9) });
const nextLeaf = (await make({ commonName: 'leaf', issuer: nextCa, extensions: [san] })).info;
const renewed = await leafFor([host]);

const trusting = (roots: readonly CertificateInfo[], ...served: readonly (readonly CertificateInfo[])[]): Partial<ApiSnapshot> => ({
  apiService: seen({ ...api, caBundle: bundleOf(...roots) }),
  probes: seen(served.map((certificates, index) => ({ ...serves(...certificates), at: `10.1.0.${index}:8443` }))),
  secret: { state: 'unseen', reason: 'skipped', words: 'the server has its certificate from elsewhere' },
});
const skipped = { state: 'unseen', reason: 'skipped', words: 'it does not apply' } as const;
const noBackend = {
  service: skipped,
  endpoints: skipped,
  pods: skipped,
  probes: skipped,
  serviceProxy: skipped,
  anonymous: skipped,
  forged: skipped,
  server: skipped,
  secret: skipped,
  delegation: skipped,
};

const systems: readonly (readonly [string, Partial<ApiSnapshot>])[] = [
  ['intermediate certificates in order', trusting([root.info], [chained, innermost.info, inner.info])],
  ['intermediate certificates in any order, with the root', trusting([root.info], [chained, root.info, inner.info, innermost.info])],
  ['an intermediate CA as the only trusted CA', trusting([innermost.info], [chained])],
  ['the whole chain in the caBundle', trusting([root.info, inner.info, innermost.info], [chained, innermost.info, inner.info])],
  ['a cross-signed CA whose old root expires soon', trusting([oldRoot.info, newRoot.info], [crossed, cross.info])],
  ['a wildcard', trusting([root.info], [wildcard])],
  ['an ECDSA certificate from an RSA CA', trusting([rsaRoot.info], [ecUnderRsa])],
  ['ECDSA and RSA CAs together', trusting([rsaRoot.info, ca], [ecUnderRsa], [leafCertificate])],
  ['an old and a new CA with the same name', trusting([otherCa, ca], [leafCertificate])],
  ['an old and a new CA, each with a pod', trusting([ca, nextCa.info], [leafCertificate], [nextLeaf])],
  [
    'a new CA whose certificate is in the Secret, but not yet in the pods',
    {
      ...trusting([ca, nextCa.info], [nextLeaf]),
      secret: seen({
        name: 'tls',
        pods: ['api-0', 'api-1'],
        type: 'Opaque',
        certificates: [nextLeaf],
        keyMatches: true,
        otherKeys: ['ca.crt'],
      }),
      apiService: seen({ ...api, caBundle: bundleOf(nextCa.info) }),
    },
  ],
  [
    'a server that loads a renewed certificate',
    {
      ...trusting([ca], [renewed]),
      secret: seen({
        name: 'tls',
        pods: ['api-0', 'api-1'],
        type: 'kubernetes.io/tls',
        certificates: [renewed],
        keyMatches: true,
        otherKeys: ['ca.crt'],
      }),
    },
  ],
  [
    'an external server without pods',
    {
      ...trusting([ca], [leafCertificate]),
      pods: skipped,
      server: skipped,
      delegation: skipped,
      service: seen({ ...service, selector: {} }),
    },
  ],
  [
    'a Local API',
    {
      ...noBackend,
      apiService: seen({
        ...api,
        service: undefined,
        caBundle: '',
        groupPriorityMinimum: 17_800,
        labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' },
      }),
    },
  ],
  [
    'an aggregated *.k8s.io with its recommended priority',
    {
      apiService: seen({
        ...api,
        name: 'v1beta1.metrics.k8s.io',
        group: 'metrics.k8s.io',
        version: 'v1beta1',
        groupPriorityMinimum: 18_000,
      }),
      aggregated: answers(
        200,
        '{"kind":"APIResourceList","groupVersion":"metrics.k8s.io/v1beta1","resources":[{"name":"nodes"},{"name":"pods"}]}',
      ),
      group: skipped,
    },
  ],
  [
    'a caBundle that cert-manager injects',
    { apiService: seen({ ...api, annotations: { 'cert-manager.io/inject-ca-from': 'wardle/api' } }) },
  ],
  ['a certificate from a public CA, without a caBundle', { apiService: seen({ ...api, caBundle: '' }) }],
  [
    'a server that does not need the ConfigMap',
    { delegation: seen({ account: 'system:serviceaccount:wardle:api', mayReview: true, mayReadAuthentication: false }), server: skipped },
  ],
  [
    'a new API whose OpenAPI schema is not fetched yet',
    {
      openApi: answers(404, ''),
      apiService: seen({
        ...api,
        available: { status: 'True', reason: 'Passed', message: '', lastTransitionTime: '2026-06-15T11:59:30Z' },
      }),
    },
  ],
];

test.each(systems)('%s gives no finding', (_, change) => {
  const diagnosis = diagnosed({ ...everything, ...change });
  expect(codes(diagnosis)).toEqual([]);
  expect(diagnosis.verdict).toBe('healthy');
});
