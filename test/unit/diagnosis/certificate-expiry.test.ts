import { expect, test } from 'vitest';
import { certificateExpiry, certificateLimit } from '../../../src/diagnosis/certificate-expiry.ts';
import { api, bundleOf, ca, healthy, leafCertificate, leafFor, seen, serves } from './snapshots.ts';

const { notAfter } = leafCertificate;

test('lists the certificates at each place', () => {
  const secret = { name: 'api-tls', pods: [], type: 'kubernetes.io/tls', certificates: [leafCertificate], otherKeys: [] };
  expect(certificateExpiry({ ...healthy, secret: seen(secret) })).toEqual([
    { place: 'endpoint', name: 'api-0', notAfter },
    { place: 'secret', name: 'wardle/api-tls', notAfter },
    { place: 'ca-bundle', name: ca.subject, notAfter: ca.notAfter },
  ]);
});

test('lists no more than the first of many pods, and one for each name', async () => {
  const soon = await leafFor(['api.wardle.svc'], 10);
  const pods = Array.from({ length: 40 }, (_, number) => ({ ...serves(number === 39 ? soon : leafCertificate), pod: `api-${number}` }));
  const served = certificateExpiry({ ...healthy, probes: seen([...pods, ...pods]) }).filter(({ place }) => place === 'endpoint');
  expect(served).toHaveLength(certificateLimit);
  expect(served[0]).toMatchObject({ name: 'api-39', notAfter: soon.notAfter });
});

test('lists no caBundle that is not used, and nothing of an API without a Service', () => {
  const caBundle = bundleOf(ca);
  const insecure = { ...api, caBundle, insecureSkipTLSVerify: true };
  expect(certificateExpiry({ ...healthy, apiService: seen(insecure) }).map(({ place }) => place)).not.toContain('ca-bundle');
  const { service: _, ...local } = api;
  expect(certificateExpiry({ ...healthy, apiService: seen(local) })).toEqual([]);
});
