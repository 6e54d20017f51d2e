import { describe, expect, test } from 'vitest';
import { createAuthority } from '../../../src/pki/authority.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import type { CertificateInfo } from '../../../src/pki/types.ts';
import type { ApiSnapshot, EndpointProbe, RotationView } from '../../../src/snapshot/types.ts';
import { day } from '../pki/certificates.ts';
import { everything, secret } from './everything.ts';
import { api, bundleOf, ca, codes, diagnosed, healthy, host, leafCertificate, leafFor, now, seen, serves } from './snapshots.ts';

/** Every step of both kinds of rotation, as a project sees it whose certs/ has the old set. */

const first = (pem: string): CertificateInfo => inspect(pem).certificates[0] as CertificateInfo;
// Another name, so that the CAs look unrelated.
const newAuthority = await createAuthority({ commonName: 'CA two', keyType: 'ecdsa-p256', lifetimeMs: 3650 * day, now });
const newCa = first(newAuthority.certificates);
const newCaLeaf = first(
  (await issueServing({ authority: newAuthority, names: { dns: [host], ip: [] }, keyType: 'ecdsa-p256', lifetimeMs: 365 * day, now }))
    .certificates,
);
const renewed = await leafFor([host]);
const stranger = await leafFor([host]);

const rotationOf = (kind: RotationView['kind'], fresh: CertificateInfo, more: Partial<RotationView> = {}): RotationView => ({
  kind,
  direction: 'forward',
  step: 'endpoints',
  number: 3,
  steps: 5,
  title: 'Waiting for the endpoints',
  started: '2026-06-15T11:58:00Z',
  oldCertificate: leafCertificate.fingerprint,
  newCertificate: fresh.fingerprint,
  holder: 'alice@laptop',
  running: true,
  ...more,
});

/**
 * The cluster at one moment: the CAs in the caBundle, the Secret, and what each of two pods serves.
 */
interface Moment {
  readonly bundle: readonly CertificateInfo[];
  readonly inSecret: CertificateInfo;
  readonly served: readonly [CertificateInfo, CertificateInfo];
}

const probe = (certificate: CertificateInfo, index: number): EndpointProbe => ({
  ...serves(certificate),
  at: `10.1.0.${index + 1}:8443 (pod api-${index})`,
  pod: `api-${index}`,
});

const snapshotAt = ({ bundle, inSecret, served }: Moment, rotation?: RotationView): Partial<ApiSnapshot> => ({
  ...everything,
  apiService: seen({ ...api, caBundle: bundleOf(...bundle) }),
  secret: seen({ ...secret, pods: ['api-0', 'api-1'], certificates: [inSecret] }),
  probes: seen(served.map(probe)),
  project: { directory: 'demo', authorities: [ca], certificate: leafCertificate },
  ...(rotation ? { rotation: seen(rotation) } : {}),
});

const [old, fresh] = [leafCertificate, newCaLeaf];
const leafMoments: readonly [step: string, Moment][] = [
  ['issue', { bundle: [ca], inSecret: old, served: [old, old] }],
  ['secret', { bundle: [ca], inSecret: renewed, served: [old, old] }],
  ['endpoints', { bundle: [ca], inSecret: renewed, served: [old, renewed] }],
  ['promote', { bundle: [ca], inSecret: renewed, served: [renewed, renewed] }],
];
const caMoments: readonly [step: string, Moment][] = [
  ['issue', { bundle: [ca], inSecret: old, served: [old, old] }],
  ['trust-both', { bundle: [ca, newCa], inSecret: old, served: [old, old] }],
  ['secret', { bundle: [ca, newCa], inSecret: fresh, served: [old, old] }],
  ['endpoints', { bundle: [ca, newCa], inSecret: fresh, served: [old, fresh] }],
  ['soak', { bundle: [ca, newCa], inSecret: fresh, served: [fresh, fresh] }],
  ['trust-new', { bundle: [newCa], inSecret: fresh, served: [fresh, fresh] }],
  ['promote', { bundle: [newCa], inSecret: fresh, served: [fresh, fresh] }],
];
const cases = [
  ...leafMoments.map(([step, moment]) => ['leaf' as const, step, moment, renewed] as const),
  ...caMoments.map(([step, moment]) => ['ca' as const, step, moment, newCaLeaf] as const),
];

describe('during a rotation', () => {
  test.each(cases)('%s, after the step %s, nothing is a fault, forward and back', (kind, step, moment, next) => {
    for (const direction of ['forward', 'back'] as const) {
      const diagnosis = diagnosed(snapshotAt(moment, rotationOf(kind, next, { step, direction })));
      expect(codes(diagnosis)).toEqual([]);
      expect(diagnosis.verdict).toBe('healthy');
      expect(diagnosis.facts.filter((fact) => fact.includes('rotation of the'))).toHaveLength(1);
    }
  });

  test.each(cases.filter(([, step]) => step !== 'issue'))('%s, without the Lease, the step %s is one', (_, __, moment) => {
    expect(codes(diagnosed(snapshotAt(moment)))).not.toEqual([]);
  });

  test('it is named', () => {
    const factOf = (more: Partial<RotationView>): string =>
      diagnosed({ rotation: seen(rotationOf('ca', fresh, more)) }).facts.find((fact) => fact.includes('rotation')) ?? '';
    expect(factOf({})).toBe(
      'rotation of the CA in progress: step 3 of 5, "Waiting for the endpoints"; started at 2026-06-15T11:58:00Z, run by alice@laptop',
    );
    expect(factOf({ kind: 'leaf', direction: 'back', running: false })).toBe(
      'rollback of the rotation of the serving certificate interrupted: step 3 of 5, "Waiting for the endpoints"; started at 2026-06-15T11:58:00Z, last run by alice@laptop',
    );
  });

  test('an interruption is a warning that names the step and the way on', () => {
    const moment = { bundle: [ca, newCa], inSecret: fresh, served: [old, fresh] as const };
    const diagnosis = diagnosed(snapshotAt(moment, rotationOf('ca', fresh, { running: false })));
    expect(codes(diagnosis)).toEqual(['cert/rotation-interrupted']);
    expect(diagnosis.verdict).toBe('healthy');
    expect(diagnosis.findings[0]?.title).toContain('was interrupted at step 3 of 5');
    expect(diagnosis.findings[0]?.fix).toContain('`apisvc rotate --abort`');
  });
});

describe('what a rotation does not explain', () => {
  test('is a certificate that is neither the old nor the new one', () => {
    const moment = { bundle: [ca], inSecret: renewed, served: [old, stranger] as const };
    const { findings } = diagnosed(snapshotAt(moment, rotationOf('leaf', renewed)));
    expect(findings.map(({ code, explains }) => [code, ...explains.map((each) => each.code)])).toEqual([
      ['cert/secret-differs', 'cert/not-project-certificate'],
    ]);
  });

  test('is a Secret that somebody replaced', () => {
    const moment = { bundle: [ca], inSecret: stranger, served: [old, old] as const };
    expect(codes(diagnosed(snapshotAt(moment, rotationOf('leaf', renewed))))).toEqual(['cert/secret-differs']);
  });

  test('is a CA that a rotation of the serving certificate does not touch', () => {
    const moment = { bundle: [ca, newCa], inSecret: old, served: [old, old] as const };
    expect(codes(diagnosed(snapshotAt(moment, rotationOf('leaf', renewed))))).toEqual(['bundle/unused-ca']);
  });

  test('is a pod whose certificate kube-apiserver no longer trusts', () => {
    const moment = { bundle: [newCa], inSecret: fresh, served: [old, fresh] as const };
    const [finding] = diagnosed(snapshotAt(moment, rotationOf('ca', fresh))).findings;
    expect(finding).toMatchObject({ code: 'cert/secret-differs', severity: 'error' });
    expect(finding?.explains.map(({ code }) => code)).toContain('cert/unknown-authority');
  });
});

test('a Lease that could not be read is no rotation', () => {
  const rotation = { state: 'unseen', reason: 'forbidden', words: 'leases is forbidden' } as const;
  expect(diagnosed({ rotation })).toEqual(diagnosed(healthy));
});
