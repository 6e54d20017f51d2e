import { describe, expect, test } from 'vitest';
import { bothCasStep, readUnfinished } from '../../../../src/operations/renew/both-cas.ts';
import type { CertificateInfo } from '../../../../src/pki/types.ts';
import { bundleOf, ca, otherCa } from '../../diagnosis/snapshots.ts';
import { apiService, bothSecret, fromBoth, fromCertificate, injectedCluster } from './injected-cluster.ts';

type World = Parameters<typeof injectedCluster>[0];

async function stepOn(world: World, from: readonly CertificateInfo[] = [], released: readonly string[] = []) {
  const found = await injectedCluster(world);
  return { ...found, step: bothCasStep(found.where, { from, next: async () => [otherCa], released: new Set(released) }) };
}

const observed = async (annotations: object, caBundle = bundleOf(ca, otherCa), secret = bothSecret(bundleOf(ca, otherCa))) =>
  (await stepOn({ apiServices: [apiService('v1.x', annotations, caBundle)], secret })).step.observe();

describe('trusting both CAs', () => {
  test('is done where the cainjector copied them from the Secret of the rotation', async () => {
    expect(await observed(fromBoth)).toEqual({ state: 'done' });
    expect(await observed(fromBoth, bundleOf(ca))).toEqual({ state: 'pending' });
    // Pods may still serve by the old CA, which only the Secret knows.
    expect(await observed(fromBoth, bundleOf(otherCa))).toEqual({ state: 'pending' });
    // Before cert-manager 1.19, the next renewal would replace the caBundle.
    expect(await observed(fromCertificate)).toEqual({ state: 'pending' });
    expect(await observed({ ...fromBoth, ...fromCertificate })).toEqual({ state: 'pending' });
  });

  test('is not needed any more by an APIService that the end of the rotation has reached', async () => {
    const apiServices = [apiService('v1.x', fromCertificate, bundleOf(otherCa)), apiService('v1.y', fromBoth, bundleOf(ca, otherCa))];
    const secret = bothSecret(bundleOf(ca, otherCa));
    expect(await (await stepOn({ apiServices, secret }, [], ['v1.x'])).step.observe()).toEqual({ state: 'done' });
  });

  test.each([
    ['another Secret', { ...fromCertificate, 'cert-manager.io/inject-ca-from-secret': 'a/b' }, /gets its caBundle from Secret a\/b/],
    [
      'nothing',
      {},
      /^apiservice\/v1\.x would not trust the new CA: it points at the same Service, but cert-manager does not write its caBundle$/,
    ],
  ])('is refused where cert-manager copies from %s', async (_, annotations, message) => {
    expect(await observed(annotations)).toMatchObject({ state: 'fault', error: { message: expect.stringMatching(message) } });
  });

  test('is refused where others have a Secret of that name, which stays', async () => {
    const secret = bothSecret(bundleOf(ca), { 'apisvc.dev/registration': 'a/b' });
    expect(await observed(fromCertificate, bundleOf(ca), secret)).toMatchObject({
      state: 'fault',
      error: {
        message: 'Secret example/api-tls-both-cas already exists, but does not belong to this project',
        fix: 'If nothing uses it, delete it: kubectl -n example delete secret api-tls-both-cas',
      },
    });
    const world = { apiServices: [apiService('v1.x', fromCertificate, bundleOf(ca))], secret };
    const { step, events } = await stepOn(world);
    await expect(step.run()).rejects.toThrow('does not belong to this project');
    expect(events).toEqual([]);
  });

  test('writes the Secret and then the annotations, each as the holder of the Lease', async () => {
    const world: World = {
      apiServices: ['v1.x', 'v1.y'].map((name) => apiService(name, fromCertificate, bundleOf(ca))),
      inject() {
        for (const each of world.apiServices) Object.assign(each.spec ?? {}, { caBundle: world.secret?.data?.['ca.crt'] });
      },
    };
    const { step, events } = await stepOn(world, [ca]);
    await step.run();
    expect(events).toEqual(['renew', 'write api-tls-both-cas', 'renew', 'write v1.x', 'renew', 'write v1.y']);
    expect(world.apiServices.map(({ metadata }) => metadata.annotations)).toEqual([fromBoth, fromBoth]);
    expect(await step.observe()).toEqual({ state: 'done' });
  });

  test('keeps the CA that only the Secret still has, when a caBundle was overwritten', async () => {
    const world: World = {
      apiServices: [apiService('v1.x', fromBoth, bundleOf(otherCa))],
      secret: bothSecret(bundleOf(ca)),
      inject: () => Object.assign(world.apiServices[0]?.spec ?? {}, { caBundle: world.secret?.data?.['ca.crt'] }),
    };
    const { step } = await stepOn(world);
    await step.run();
    expect(Buffer.from(world.secret?.data?.['ca.crt'] ?? '', 'base64').toString()).toBe(`${otherCa.pem}${ca.pem}`);
  });
});

test.each([
  ['nothing', fromCertificate, undefined, { isInjected: false, isOnlySecret: false }],
  ['both', fromBoth, bothSecret(''), { isInjected: true, isOnlySecret: false }],
  ['the Secret, because it was killed before it deleted it', fromCertificate, bothSecret(''), { isInjected: false, isOnlySecret: true }],
  ['nothing, but others have such a Secret', fromCertificate, bothSecret('', {}), { isInjected: false, isOnlySecret: false }],
])('an interrupted rotation left %s', async (_, annotations, secret, expected) => {
  const { where } = await injectedCluster({ apiServices: [apiService('v1.x', annotations, bundleOf(ca))], secret });
  expect(await readUnfinished(where)).toEqual(expected);
});
