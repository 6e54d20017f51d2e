import { describe, expect, test } from 'vitest';
import type { Registration } from '../../../../src/config/schema.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { isEarlier, isOwnCa, readSigner } from '../../../../src/operations/renew/signer.ts';
import { answer, clusterOf, never, notFound, status } from '../../cluster/kube-api.ts';
import { ca, otherCa } from '../../diagnosis/snapshots.ts';
import { now } from '../../pki/certificates.ts';
import { having } from '../../project/sample.ts';

const registrationWith = (issuerRef?: object): Registration =>
  having(`issuer: ${JSON.stringify({ type: 'cert-manager', ...(issuerRef ? { issuerRef } : {}) })}`);
const own = registrationWith();
const { name, namespace } = own.metadata;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secretWith = (tls: string) => ({ metadata: { name: 'x' }, data: { 'tls.crt': base64(tls) } });

/** @param objects by path. A path that is missing is forbidden with `forbidden` */
async function where(objects: Readonly<Record<string, object>>, registration: Registration = own, forbidden = false) {
  const progress: Progress[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    const found = objects[url.split('?')[0] ?? ''];
    if (found) return answer(response, 200, found);
    return forbidden ? answer(response, 403, status(403, 'Forbidden', 'no')) : answer(response, 404, notFound(url));
  });
  return {
    progress,
    where: { cluster, signal: never, registration, now: () => now, onProgress: (each: Progress) => void progress.push(each) },
  };
}

describe('the CA that signs', () => {
  const secrets = (inNamespace: string, secret: string) => `/api/v1/namespaces/${inNamespace}/secrets/${secret}`;
  const issuers = '/apis/cert-manager.io/v1';
  const ofSecret = { metadata: { name: 'company' }, spec: { ca: { secretName: 'company-ca' } } };

  test.each([
    ['of the project', undefined, { [secrets(namespace, `${name}-ca`)]: secretWith(ca.pem) }],
    [
      'of an Issuer',
      { name: 'company' },
      { [`${issuers}/namespaces/${namespace}/issuers/company`]: ofSecret, [secrets(namespace, 'company-ca')]: secretWith(ca.pem) },
    ],
    [
      'of a ClusterIssuer',
      { name: 'company', kind: 'ClusterIssuer' },
      { [`${issuers}/clusterissuers/company`]: ofSecret, [secrets('cert-manager', 'company-ca')]: secretWith(ca.pem) },
    ],
  ])('is read: %s', async (_, issuerRef, objects) => {
    const registration = registrationWith(issuerRef);
    const signer = await readSigner((await where(objects, registration)).where);
    expect(signer?.map(({ fingerprint }) => fingerprint)).toEqual([ca.fingerprint]);
    expect(isOwnCa(registration)).toBe(issuerRef === undefined);
  });

  test('is not known of other kinds of issuers, and where it may not be read, which is said', async () => {
    const vault = { metadata: { name: 'company' }, spec: { vault: {} } };
    const other = await where({ [`${issuers}/namespaces/${namespace}/issuers/company`]: vault }, registrationWith({ name: 'company' }));
    expect(await readSigner(other.where)).toBeUndefined();
    expect(await readSigner((await where({}, registrationWith({ name: 'x', group: 'example.com' }))).where)).toBeUndefined();
    const refused = await where({}, own, true);
    expect(await readSigner(refused.where)).toBeUndefined();
    expect(refused.progress).toMatchObject([{ what: expect.stringMatching(/^not checked: whether the CA of the issuer changed \(/) }]);
    const elsewhere = await where(
      { [`${issuers}/clusterissuers/company`]: ofSecret },
      registrationWith({ name: 'company', kind: 'ClusterIssuer' }),
    );
    expect(await readSigner(elsewhere.where)).toBeUndefined();
    const why = 'Secret cert-manager/company-ca not found; for a ClusterIssuer, apisvc reads only this namespace';
    expect(elsewhere.progress).toEqual([{ kind: 'note', what: `not checked: whether the CA of the issuer changed (${why})` }]);
  });

  test.each([
    [[ca], [ca, otherCa], false],
    [[ca], [otherCa], true],
    [[ca], undefined, false],
  ])('is another one only if it is known: %#', (anchors, signer, earlier) => expect(isEarlier(anchors, signer)).toBe(earlier));
});
