import { describe, expect, test } from 'vitest';
import { servingNames } from '../../../src/config/registration.ts';
import { issueCertificates } from '../../../src/issuers/issuers.ts';
import { caBundleOf } from '../../../src/pki/anchors.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import { checkServing } from '../../../src/pki/trust.ts';
import { registrationOf } from '../manifests/fixture.ts';
import { asAuthority, day, makeCa, now } from '../pki/certificates.ts';

const having = (certificates: string) => registrationOf('    image: x', `  certificates: {${certificates}}`);
const issuing = (certificates: string, given?: Parameters<typeof issueCertificates>[1]['given']) =>
  issueCertificates(having(certificates), { given, now });

/** Every fault that kube-apiserver would find, under each name of the registration. */
const faults = ({ issued }: Awaited<ReturnType<typeof issuing>>) => {
  const presented = inspect(issued.chain).certificates;
  const roots = inspect(caBundleOf(issued)).certificates;
  return servingNames(having('')).dns.flatMap((hostname) => checkServing({ presented, roots, hostname, now }));
};

describe('self-signed', () => {
  test('makes a CA for the names of the server, and hands over its key', async () => {
    const made = await issuing('lifetime: 30d, issuer: {type: self-signed, caLifetime: 60d}');
    expect(faults(made)).toEqual([]);
    const [anchor, ...more] = made.issued.anchors;
    expect({ role: anchor?.role, more }).toEqual({ role: 'current', more: [] });
    const [ca] = inspect(anchor?.pem ?? '').certificates;
    expect(ca).toMatchObject({ subject: 'CN=api.example.svc CA', notAfter: new Date(now.getTime() + 60 * day).toISOString() });
    expect(ca?.nameConstraints?.permittedDns).toEqual(servingNames(having('')).dns);
    expect(made.caKey).toBeDefined();
  });

  test('signs with its own CA when that is given, and hands over the same key', async () => {
    const given = await createAuthority({ commonName: 'api.example.svc CA', keyType: 'ecdsa-p256', lifetimeMs: 400 * day, now });
    const made = await issuing('issuer: {type: self-signed}', given);
    expect(faults(made)).toEqual([]);
    expect(made.issued.anchors).toEqual([{ pem: given.certificates, role: 'current' }]);
    expect(made.caKey).toBe(given.key);
  });

  test('leaves the name constraints out on request', async () => {
    const { issued } = await issuing('issuer: {type: self-signed, nameConstraints: false}');
    expect(inspect(caBundleOf(issued)).certificates[0]?.nameConstraints).toBeUndefined();
  });
});

describe('ca', () => {
  test('signs with the CA that was given, and keeps its key out of the project', async () => {
    const given = await createAuthority({ commonName: 'Company CA', keyType: 'ecdsa-p256', lifetimeMs: 400 * day, now });
    const made = await issuing('issuer: {type: ca}', given);
    expect(faults(made)).toEqual([]);
    expect(made.issued.anchors).toEqual([{ pem: given.certificates, role: 'current' }]);
    expect(made.caKey).toBeUndefined();
  });

  test('makes one anchor of each certificate of the CA', async () => {
    const root = await makeCa({ commonName: 'root' });
    const middle = await makeCa({ commonName: 'middle', issuer: root });
    const made = await issuing('lifetime: 1d, issuer: {type: ca}', asAuthority(middle, root));
    expect(made.issued.anchors.map(({ pem }) => pem)).toEqual([middle.info.pem, root.info.pem]);
  });

  test('is refused without a CA', async () => {
    await expect(issuing('issuer: {type: ca}')).rejects.toMatchObject({ name: 'UsageError', fix: 'Add --ca-cert FILE --ca-key FILE.' });
  });
});
