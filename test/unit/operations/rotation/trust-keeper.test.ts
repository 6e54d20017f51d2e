import { describe, expect, test } from 'vitest';
import type { Registration } from '../../../../src/config/schema.ts';
import { ClusterError } from '../../../../src/errors.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { bundleText } from '../../../../src/operations/rotation/bundles.ts';
import type { CertificateSet, Rotation } from '../../../../src/operations/rotation/rotation.ts';
import { trustKeeper } from '../../../../src/operations/rotation/trust-keeper.ts';
import { inspect } from '../../../../src/pki/inspect.ts';
import { answer, clusterAt, never, serve, status } from '../../cluster/kube-api.ts';
import { newSet } from './fixture.ts';

const registration = { metadata: { namespace: 'wardle', name: 'api' }, spec: { service: { name: 'api' } } } as unknown as Registration;

const base64 = (...sets: readonly CertificateSet[]): string =>
  Buffer.from(bundleText(sets.flatMap(({ anchors }) => anchors))).toString('base64');

/** A cluster with an APIService of the Service, and one of another Service. */
async function situation(
  kind: 'leaf' | 'ca',
  spec: (from: CertificateSet, to: CertificateSet) => object,
  operation = 'Update',
  more: Partial<Rotation> = {},
) {
  const [from, made] = [await newSet(), await newSet()];
  const to = kind === 'ca' ? made : from;
  const managedFields = [
    { manager: 'kubectl-patch', operation, time: '2026-11-28T12:00:00Z', fieldsV1: { 'f:spec': { 'f:caBundle': {} } } },
  ];
  const apiServiceOf = (name: string) => ({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name, resourceVersion: '1', managedFields },
    spec: { service: { namespace: 'wardle', name: 'api' }, ...spec(from, to) } as Record<string, unknown>,
  });
  const live = apiServiceOf('v1.example.com');
  const items: object[] = [live];
  const unrelated = { metadata: { name: 'v1.other' }, spec: { service: { namespace: 'wardle', name: 'other' } } };
  /** What the next writes get for an answer, instead of being done. */
  const refusals: number[] = [];
  const url = await serve(({ method, url: path, body }, response) => {
    if (method !== 'PATCH') return answer(response, 200, { metadata: { resourceVersion: '1' }, items: [...items, unrelated] });
    const refused = refusals.shift();
    if (refused !== undefined) return answer(response, refused, status(refused, 'ServiceUnavailable', 'not now'));
    const found = [live, second].find(({ metadata }) => path.includes(`/${metadata.name}?`));
    if (found) Object.assign(found.spec, JSON.parse(body).spec);
    answer(response, 200, found);
  });
  const second = apiServiceOf('v2.example.com');
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
    files: { caCertificate: 'certs/next/ca.crt' },
    from,
    to,
    ...more,
  } as unknown as Rotation;
  const trustedBy = ({ spec: { caBundle } }: typeof live): readonly string[] =>
    inspect(Buffer.from(String(caBundle ?? ''), 'base64')).certificates.map(({ fingerprint }) => fingerprint);
  const trusted = (): readonly string[] => trustedBy(live);
  const notes = () => progress.flatMap((each) => (each.kind === 'note' ? each.what : []));
  const both = [from.anchors[0]?.fingerprint, to.anchors[0]?.fingerprint];
  return { keeper: trustKeeper(rotation), live, second, items, from, to, both, trusted, trustedBy, notes, refusals };
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

  test.each([
    ['forward', 1],
    ['back', 0],
  ] as const)('may lack the CA of a certificate that nothing can serve only on the way back: %s', async (direction, count) => {
    const { keeper } = await situation('ca', (_, fresh) => ({ caBundle: base64(fresh) }), 'Update', { direction, neverServed: true });
    expect(await keeper.lacking(something)).toHaveLength(count);
  });

  test('is restored once, and restored and named the second time', async () => {
    const { keeper, live, from, to, both, trusted, notes } = await situation('ca', (old) => ({ caBundle: base64(old) }));
    expect(await keeper.keep(something)).toBe(false);
    expect(notes()).toEqual([
      'apiservice/v1.example.com: "kubectl-patch" at 2026-11-28T12:00:00Z overwrote the caBundle during the rotation; restoring it once',
    ]);
    expect(trusted()).toContain(to.anchors[0]?.fingerprint);
    expect(await keeper.keep(something)).toBe(true);
    live.spec.caBundle = base64(from);
    await expect(keeper.keep(something)).rejects.toThrow('"kubectl-patch" at 2026-11-28T12:00:00Z overwrote the caBundle a second time');
    expect(trusted()).toEqual(both);
  });

  test('is not overwritten a second time where kube-apiserver did not take the first restoration', async () => {
    const { keeper, both, trusted, refusals } = await situation('ca', (old) => ({ caBundle: base64(old) }));
    refusals.push(503);
    await expect(keeper.keep(something)).rejects.toThrow(ClusterError);
    expect(await keeper.keep(something)).toBe(false);
    expect(trusted()).toEqual(both);
  });

  test('a second time is restored with all others before the error', async () => {
    const { keeper, live, second, items, from, both, trustedBy } = await situation('ca', (old) => ({ caBundle: base64(old) }));
    await keeper.keep(something);
    live.spec.caBundle = base64(from);
    items.push(second);
    await expect(keeper.keep(something)).rejects.toThrow('apiservice/v1.example.com: "kubectl-patch"');
    expect([live, second].map(trustedBy)).toEqual([both, both]);
  });
});

describe('a caBundle that was narrowed', () => {
  const overwrote = 'apiservice/v1.example.com: "kubectl-patch" at 2026-11-28T12:00:00Z overwrote the caBundle';
  const narrowedSituation = async () => {
    const made = await situation('ca', (old, fresh) => ({ caBundle: base64(old, fresh) }));
    await made.keeper.narrow(made.live);
    expect(made.trusted()).toEqual([made.to.anchors[0]?.fingerprint]);
    return made;
  };

  test('and overwritten with the old CA is restored once, and restored and named the second time', async () => {
    const { keeper, live, from, both, trusted, notes } = await narrowedSituation();
    live.spec.caBundle = base64(from);
    expect(await keeper.keep(nothing)).toBe(false);
    expect(notes()).toEqual([`${overwrote} during the rotation; restoring it once`]);
    expect(trusted()).toEqual(both);
    await keeper.narrow(live);
    live.spec.caBundle = base64(from);
    await expect(keeper.keep(nothing)).rejects.toMatchObject({
      message: `${overwrote} a second time during the rotation`,
      fix: expect.stringContaining('let it write only the new CA'),
    });
    expect(trusted()).toEqual(both);
  });

  test('and overwritten with the old CA trusts both CAs, also if it is seen when it is due again', async () => {
    const { keeper, live, from, both, trusted } = await narrowedSituation();
    live.spec.caBundle = base64(from);
    expect(await keeper.narrow(live)).toBe(true);
    live.spec.caBundle = base64(from);
    await expect(keeper.narrow(live)).rejects.toThrow(`${overwrote} a second time during the rotation`);
    expect(trusted()).toEqual(both);
  });

  test('and overwritten with both CAs is narrowed once more, and named the second time', async () => {
    const { keeper, live, from, to, both, trusted, notes } = await narrowedSituation();
    live.spec.caBundle = base64(from, to);
    expect(await keeper.keep(nothing)).toBe(true);
    expect(await keeper.narrow(live)).toBe(true);
    expect(notes()).toEqual([`${overwrote} during the rotation; restoring it once`]);
    live.spec.caBundle = base64(from, to);
    await expect(keeper.narrow(live)).rejects.toThrow(`${overwrote} a second time during the rotation`);
    expect(trusted()).toEqual(both);
  });

  test('is not overwritten where kube-apiserver did not take the write', async () => {
    const { keeper, live, both, trusted, notes, refusals } = await situation('ca', (old, fresh) => ({ caBundle: base64(old, fresh) }));
    refusals.push(503, 409);
    await expect(keeper.narrow(live)).rejects.toThrow(ClusterError);
    expect(await keeper.narrow(live)).toBe(false);
    expect(trusted()).toEqual(both);
    expect(await keeper.narrow(live)).toBe(true);
    expect(notes()).toEqual([]);
  });

  test('trusts both CAs again while an endpoint cannot be checked, as often as that happens', async () => {
    const { keeper, live, both, trusted, notes, refusals } = await narrowedSituation();
    refusals.push(503);
    await expect(keeper.keep(something)).rejects.toThrow(ClusterError);
    for (let round = 0; round < 2; round += 1) {
      expect(await keeper.keep(something)).toBe(false);
      expect(new Set(trusted())).toEqual(new Set(both));
      await keeper.narrow(live);
    }
    expect(new Set(notes())).toEqual(new Set(['apiservice/v1.example.com: some endpoints cannot be checked; trusting both CAs again']));
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
