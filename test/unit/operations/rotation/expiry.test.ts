import { describe, expect, test } from 'vitest';
import { secretName } from '../../../../src/config/registration.ts';
import { RefusedError } from '../../../../src/errors.ts';
import { expiryInCluster, requireChecked } from '../../../../src/operations/rotation/expiry.ts';
import { inspect } from '../../../../src/pki/inspect.ts';
import { issueServing } from '../../../../src/pki/leaf.ts';
import type { Leaf } from '../../../../src/pki/types.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { listening, servingCertificate, tlsServer } from '../../cluster/listening.ts';
import { registrationOf } from '../../manifests/fixture.ts';
import { day } from '../../pki/certificates.ts';

const now = new Date();
const { authority } = await servingCertificate();
const names = { dns: ['api.example.svc'], ip: [] };
/** The CA is valid for eleven days. */
const leafFor = (days: number): Promise<Leaf> => issueServing({ authority, names, keyType: 'ecdsa-p256', lifetimeMs: days * day, now });
const [short, long] = [await leafFor(5), await leafFor(10)];
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const endOf = ({ certificates }: Leaf): string => inspect(certificates).certificates[0]?.notAfter ?? '';

interface InCluster {
  readonly secret?: Leaf | undefined;
  /** The certificate that an endpoint serves; undefined for one that refuses connections. */
  readonly served?: Leaf | undefined;
  readonly isRegistered?: boolean;
  readonly kind?: 'leaf' | 'ca';
}

async function expiryOf({ secret, served, isRegistered = true, kind = 'leaf' }: InCluster) {
  const registration = registrationOf('    image: x');
  const { namespace } = registration.metadata;
  const service = { namespace, name: 'api' };
  const port = served ? (await listening(tlsServer(served))).port : 1;
  const cluster = await clusterOf(({ url }, response) => {
    const items = (...found: object[]) => answer(response, 200, { metadata: { resourceVersion: '1' }, items: found });
    if (url.includes('/endpointslices')) {
      return items({ metadata: { name: 'x' }, endpoints: [{ addresses: ['127.0.0.1'] }], ports: [{ name: 'https', port }] });
    }
    if (url.includes('/apiservices')) {
      const spec = { service, group: 'example.com', version: 'v1', caBundle: base64(authority.certificates) };
      return items(...(isRegistered ? [{ metadata: { name: 'v1.example.com' }, spec }] : []));
    }
    if (url.includes('/services/api')) return answer(response, 200, { metadata: service, spec: { ports: [{ name: 'https', port: 443 }] } });
    if (url.includes('/secrets/') && secret) {
      const metadata = { name: secretName(registration), namespace };
      return answer(response, 200, { metadata, data: { 'tls.crt': base64(secret.certificates) } });
    }
    return answer(response, 404, notFound(url));
  });
  return expiryInCluster({ cluster, registration, signal: never, now: () => now, kind }, 7 * day);
}

describe('a rotation is due by what the cluster has', () => {
  test.each<[string, InCluster, string]>([
    ['the certificate in the Secret', { secret: short, served: long }, endOf(short)],
    ['a certificate that an endpoint still serves', { secret: long, served: short }, endOf(short)],
  ])('because of %s', async (_, inCluster, notAfter) => {
    expect(await expiryOf(inCluster)).toMatchObject({ isDue: true, first: { presented: [{ notAfter }] }, notChecked: [] });
  });

  test('but not while all are valid for longer, and the CA only for a rotation of the CA', async () => {
    expect(await expiryOf({ secret: long, served: long })).toMatchObject({ isDue: false, leaves: [expect.any(String)], notChecked: [] });
    const authorities = inspect(authority.certificates).certificates.map(({ fingerprint }) => ({ fingerprint }));
    expect(await expiryOf({ secret: long, served: long, kind: 'ca' })).toMatchObject({ first: { anchors: authorities } });
  });

  test.each<[string, InCluster, RegExp]>([
    ['an endpoint that does not answer', { secret: long }, /not checked: 127\.0\.0\.1:1: connection refused/],
    ['no Secret', { served: long }, /not checked: Secret example\/api-tls not found/],
    ['no APIService', { secret: long, served: long, isRegistered: false }, /not checked: no APIService points at Service example\/api/],
  ])('and not known with %s', async (_, inCluster, message) => {
    const expiry = await expiryOf(inCluster);
    expect(expiry.isDue).toBe(false);
    expect(() => requireChecked(expiry)).toThrow(RefusedError);
    expect(() => requireChecked(expiry)).toThrow(message);
  });
});
