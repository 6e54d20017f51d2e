import { describe, expect, test } from 'vitest';
import type { Registration } from '../../../../src/config/schema.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { bundleText } from '../../../../src/operations/rotation/bundles.ts';
import type { CertificateSet, Rotation } from '../../../../src/operations/rotation/rotation.ts';
import { trustKeeper } from '../../../../src/operations/rotation/trust-keeper.ts';
import { inspect } from '../../../../src/pki/inspect.ts';
import { answer, clusterAt, never, serve } from '../../cluster/kube-api.ts';
import { newSet } from './fixture.ts';

const registration = { metadata: { namespace: 'wardle', name: 'api' }, spec: { service: { name: 'api' } } } as unknown as Registration;

const base64 = (...sets: readonly CertificateSet[]): string =>
  Buffer.from(bundleText(sets.flatMap(({ anchors }) => anchors))).toString('base64');

/** A cluster with one APIService, which `overwrite` changes. */
async function situation(kind: 'leaf' | 'ca', spec: (from: CertificateSet, to: CertificateSet) => object, operation = 'Update') {
  const [from, made] = [await newSet(), await newSet()];
  const to = kind === 'ca' ? made : from;
  const managedFields = [
    { manager: 'kubectl-patch', operation, time: '2026-11-28T12:00:00Z', fieldsV1: { 'f:spec': { 'f:caBundle': {} } } },
  ];
  const live = {
    metadata: { name: 'v1.example.com', resourceVersion: '1', managedFields },
    spec: { service: { namespace: 'wardle', name: 'api' }, ...spec(from, to) } as Record<string, unknown>,
  };
  const unrelated = { metadata: { name: 'v1.other' }, spec: { service: { namespace: 'wardle', name: 'other' } } };
  const url = await serve(({ method, body }, response) => {
    if (method === 'PATCH') Object.assign(live.spec, JSON.parse(body).spec);
    answer(response, 200, method === 'PATCH' ? live : { metadata: { resourceVersion: '1' }, items: [live, unrelated] });
  });
  const progress: Progress[] = [];
  const rotation = {
    cluster: await clusterAt(url),
    signal: never,
    onProgress: (each: Progress) => progress.push(each),
    forceConflicts: false,
    renewLease: async () => {},
    registration,
    now: () => new Date(),
    kind,
    direction: 'forward',
    caFiles: ['certs/ca.crt', 'certs/next/ca.crt'],
    from,
    to,
  } as unknown as Rotation;
  const trusted = (): readonly string[] =>
    inspect(Buffer.from(String(live.spec.caBundle ?? ''), 'base64')).certificates.map(({ fingerprint }) => fingerprint);
  const notes = () => progress.flatMap((each) => (each.kind === 'note' ? each.what : []));
  return { keeper: trustKeeper(rotation), live, from, to, trusted, notes };
}

const something = async (): Promise<boolean> => false;
const nothing = async (): Promise<boolean> => true;

describe('a caBundle that lacks a CA', () => {
  test('gets the new one, and keeps the old one', async () => {
    const { keeper, from, to, trusted } = await situation('ca', (old) => ({ caBundle: base64(old) }));
    const lacking = await keeper.lacking(something);
    expect(lacking.map(({ metadata }) => metadata.name)).toEqual(['v1.example.com']);
    for (const each of lacking) await keeper.widen(each);
    expect(trusted()).toEqual([from.anchors[0]?.fingerprint, to.anchors[0]?.fingerprint]);
    expect(await keeper.lacking(something)).toEqual([]);
  });

  test('may lack the old one only while nothing serves by it', async () => {
    const { keeper } = await situation('ca', (_, fresh) => ({ caBundle: base64(fresh) }));
    expect(await keeper.lacking(nothing)).toEqual([]);
    expect(await keeper.lacking(something)).toHaveLength(1);
  });

  test('is restored once, and named the second time', async () => {
    const { keeper, live, from, to, trusted, notes } = await situation('ca', (old) => ({ caBundle: base64(old) }));
    expect(await keeper.keep(something)).toBe(false);
    expect(notes()).toEqual([
      'apiservice/v1.example.com: "kubectl-patch" at 2026-11-28T12:00:00Z overwrote the caBundle during the rotation; restoring it once',
    ]);
    expect(trusted()).toContain(to.anchors[0]?.fingerprint);
    expect(await keeper.keep(something)).toBe(true);
    live.spec.caBundle = base64(from);
    await expect(keeper.keep(something)).rejects.toThrow('"kubectl-patch" at 2026-11-28T12:00:00Z overwrote the caBundle a second time');
  });
});

test('a caBundle that another manager applied is refused without --force-conflicts, also if it is due to be written', async () => {
  const { keeper, from, trusted } = await situation('ca', (old) => ({ caBundle: base64(old) }), 'Apply');
  const [found] = await keeper.lacking(something);
  if (!found) throw new Error('nothing is lacking');
  const refused = {
    exitCode: 1,
    message: [
      'conflict: other field managers own fields of apiservice/v1.example.com',
      'apiservice/v1.example.com .spec.caBundle: conflict with "kubectl-patch" at 2026-11-28T12:00:00Z',
    ].join('\n'),
    fix: expect.stringMatching(/--force-conflicts[\s\S]*Git[\s\S]*cat certs\/ca\.crt certs\/next\/ca\.crt \| base64/),
  };
  expect(keeper.widenFault(found)).toMatchObject(refused);
  await expect(keeper.widen(found)).rejects.toMatchObject(refused);
  expect(trusted()).toEqual([from.anchors[0]?.fingerprint]);
  await keeper.widen(found, true);
  expect(trusted()).toHaveLength(2);
});

test('a caBundle that another manager updated is changed', async () => {
  const { keeper, trusted } = await situation('ca', (old) => ({ caBundle: base64(old) }));
  for (const found of await keeper.lacking(something)) {
    expect(keeper.widenFault(found)).toBeUndefined();
    await keeper.widen(found);
  }
  expect(trusted()).toHaveLength(2);
});

describe('a rotation of the leaf', () => {
  test('leaves an APIService alone that skips verification, or trusts the CA', async () => {
    for (const spec of [() => ({ insecureSkipTLSVerify: true }), (old: CertificateSet) => ({ caBundle: base64(old) })]) {
      const { keeper } = await situation('leaf', spec);
      expect(await keeper.lacking(something)).toEqual([]);
      await keeper.requireAcceptance();
    }
  });
});

test('an APIService that would refuse the certificate is named', async () => {
  const { keeper } = await situation('ca', (old) => ({ caBundle: base64(old) }));
  await expect(keeper.requireAcceptance()).rejects.toThrow(
    'the new certificate would not be trusted: apiservice/v1.example.com lacks CN=CA; the Secret is unchanged',
  );
});
