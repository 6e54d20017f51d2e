import { describe, expect, test } from 'vitest';
import { issueCertificates } from '../../../src/issuers/issuers.ts';
import { outdatedCopy } from '../../../src/operations/outdated.ts';
import type { Progress } from '../../../src/operations/progress.ts';
import { requireCurrentCopy } from '../../../src/operations/register/current-copy.ts';
import { caBundleOf } from '../../../src/pki/anchors.ts';
import { loadAuthority } from '../../../src/pki/authority.ts';
import { inspect } from '../../../src/pki/inspect.ts';
import type { Issued } from '../../../src/pki/types.ts';
import { answer, clusterOf, never, notFound, status } from '../cluster/kube-api.ts';
import { registrationOf } from '../manifests/fixture.ts';

const registration = registrationOf('    image: x');
const now = new Date();
const later = (hours: number): Date => new Date(now.getTime() + hours * 3_600_000);

const made = await issueCertificates(registration, { given: undefined, now: later(-3) });
/** What this copy of the project has, and what another copy rotated to. */
const own = made.issued;
const { authority } = loadAuthority({ certificates: caBundleOf(own), key: made.caKey?.reveal() ?? '', now });
const newLeaf = (await issueCertificates(registration, { given: authority, now: later(-2) })).issued;
const newCa = (await issueCertificates(registration, { given: undefined, now: later(-2) })).issued;
const older = (await issueCertificates(registration, { given: authority, now: later(-4) })).issued;

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const sha256 = ({ chain }: Issued): string => inspect(chain).certificates[0]?.fingerprint ?? '';

interface InCluster {
  readonly secret?: Issued;
  readonly trusted?: readonly Issued[];
  readonly project?: string;
  /** The status of a request for the Secret. */
  readonly code?: number;
}

async function checkOf({ secret, trusted = [], project = 'example/example', code = 200 }: InCluster, copy = own) {
  const cluster = await clusterOf(({ url }, response) => {
    const name = url.split('/').at(-1) ?? '';
    if (name === 'api-tls' && code !== 200) return answer(response, code, status(code, 'Forbidden', 'no'));
    if (name === 'api-tls' && secret) {
      const metadata = { name, annotations: { 'apisvc.dev/registration': project } };
      return answer(response, 200, { metadata, data: { 'ca.crt': base64(caBundleOf(secret)), 'tls.crt': base64(secret.chain) } });
    }
    if (name !== 'v1.example.com') return answer(response, 404, notFound(url));
    const spec = { caBundle: base64(trusted.map(caBundleOf).join('')), service: { namespace: 'example', name: 'api' } };
    return answer(response, 200, { metadata: { name }, spec });
  });
  const presented = inspect(copy.chain).certificates;
  const anchors = inspect(caBundleOf(copy)).certificates;
  return { cluster, registration, dir: 'demo', presented, anchors, now, signal: never };
}

/** Where the certificates are that a refusal names. */
const placesIn = (refused: Error | undefined): string[] =>
  [...(refused?.message ?? '').matchAll(/^ {2}(.+?): CN=/gm)].map(([, place = '']) => place);

describe('a copy is outdated', () => {
  test.each([
    ['and the caBundle accepts it', [own]],
    ['also where no APIService is left', []],
  ])('where the Secret has a later certificate of the same CA, %s; the key of the CA stays', async (_, trusted) => {
    const refused = await outdatedCopy(await checkOf({ secret: newLeaf, trusted }));
    expect(refused?.message.split('\n')).toEqual([
      'the cluster has a newer certificate than this copy of the project:',
      expect.stringMatching(
        new RegExp(`^  Secret example/api-tls: CN=api\\.example\\.svc, SHA-256 ${sha256(newLeaf)}, issued on 2\\S+, expires on 2`),
      ),
      expect.stringMatching(new RegExp(`^  demo/certs/tls\\.crt: .* SHA-256 ${sha256(own)}, issued on 2\\S+, expires on 2`)),
    ]);
    expect(refused?.fix).toContain('rm -f demo/certs/tls.crt demo/certs/tls.key && apisvc register');
  });

  test.each<[string, readonly Issued[]]>([
    ['alone', [newCa]],
    ['beside the old one', [own, newCa]],
  ])('where the caBundle has a new CA, %s', async (_, trusted) => {
    const refused = await outdatedCopy(await checkOf({ secret: newCa, trusted }));
    expect(refused?.message).toMatch(/^the cluster has a newer certificate than this copy of the project, signed by another CA:\n/);
    expect(placesIn(refused)).toEqual([
      'Secret example/api-tls',
      'the caBundle of the APIService',
      'demo/certs/tls.crt',
      'demo/certs/ca.crt',
    ]);
    expect(refused?.fix).toContain('mv demo/certs demo/certs.old && apisvc register');
  });

  test('where no APIService is left, and the Secret has a new CA', async () => {
    const refused = await outdatedCopy(await checkOf({ secret: newCa }));
    expect(placesIn(refused)).toEqual([
      'Secret example/api-tls',
      'ca.crt in Secret example/api-tls',
      'demo/certs/tls.crt',
      'demo/certs/ca.crt',
    ]);
  });
});

test.each<[string, InCluster, Issued]>([
  ['the same certificate', { secret: own, trusted: [own] }, own],
  ['an older certificate, after init --force-keys', { secret: own, trusted: [own] }, newCa],
  ['an older certificate of the same CA', { secret: older, trusted: [own] }, own],
  ['no Secret', { trusted: [newCa] }, own],
  ['a certificate that no caBundle accepts', { secret: newCa, trusted: [own] }, own],
  ['the certificate of another project', { secret: newLeaf, trusted: [own], project: 'example/other' }, own],
])('a copy is current where the cluster has %s', async (_, inCluster, copy) => {
  expect(await outdatedCopy(await checkOf(inCluster, copy))).toBeUndefined();
});

test('without the permission to get the Secret, a note says that nothing was compared', async () => {
  const progress: Progress[] = [];
  await requireCurrentCopy(await checkOf({ code: 403 }), (each) => progress.push(each));
  const what = 'not allowed to get Secret example/api-tls; not checking whether the cluster has a newer certificate';
  expect(progress).toEqual([{ kind: 'note', what }]);
  await expect(requireCurrentCopy(await checkOf({ secret: newLeaf, trusted: [own] }), () => {})).rejects.toThrow('\nnothing was changed');
});
