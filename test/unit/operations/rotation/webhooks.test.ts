import { beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { bundleText } from '../../../../src/operations/rotation/bundles.ts';
import type { Rotation } from '../../../../src/operations/rotation/rotation.ts';
import { breaks, webhookCheck } from '../../../../src/operations/rotation/webhooks.ts';
import type { CertificateInfo } from '../../../../src/pki/types.ts';
import { answer, clusterOf, never, notFound, status } from '../../cluster/kube-api.ts';
import { inDays, makeCa } from '../../pki/certificates.ts';
import { registration } from '../../project/sample.ts';

let old: CertificateInfo;
let fresh: CertificateInfo;

beforeAll(async () => {
  const make = async (commonName: string) => (await makeCa({ commonName, notBefore: inDays(-60), notAfter: inDays(30) })).info;
  [old, fresh] = [await make('old'), await make('new')];
});

const service = { namespace: registration.metadata.namespace, name: registration.spec.service.name };
const bundle = (...certificates: readonly CertificateInfo[]): string => Buffer.from(bundleText(certificates)).toString('base64');
const rotation = (direction: 'forward' | 'back' = 'forward') => {
  const [from, to] = direction === 'forward' ? [old, fresh] : [fresh, old];
  return { registration, direction, from: { anchors: [from] }, to: { anchors: [to] } } as unknown as Rotation;
};
const webhook = (...clientConfigs: readonly object[]) =>
  ({ metadata: { name: 'x' }, webhooks: clientConfigs.map((clientConfig) => ({ clientConfig })) }) as unknown as KubeObject;
const definition = (conversion?: object) => ({ metadata: { name: 'things.example.com' }, spec: { conversion } }) as unknown as KubeObject;

describe('a webhook breaks', () => {
  test.each<[string, () => KubeObject, boolean]>([
    ['that trusts only the old CA', () => webhook({ url: 'https://x' }, { service, caBundle: bundle(old) }), true],
    ['that trusts both', () => webhook({ service, caBundle: bundle(old, fresh) }), false],
    ['of another Service', () => webhook({ service: { ...service, name: 'other' }, caBundle: bundle(old) }), false],
    ['of the same name in another namespace', () => webhook({ service: { ...service, namespace: 'other' }, caBundle: bundle(old) }), false],
    ['without a caBundle', () => webhook({ service }), false],
    ['that trusts another CA', () => webhook({ service, caBundle: 'bm9uZQ==' }), false],
    ['by URL', () => webhook({ url: 'https://x', caBundle: bundle(old) }), false],
    ['without webhooks', () => webhook(), false],
    ['that converts', () => definition({ strategy: 'Webhook', webhook: { clientConfig: { service, caBundle: bundle(old) } } }), true],
    ['that does not convert', () => definition({ strategy: 'None' }), false],
    ['without a conversion', () => definition(), false],
  ])('%s: %s', (_, make, expected) => {
    expect(breaks(make(), rotation())).toBe(expected);
  });

  test('on the way back if it trusts only the new CA', () => {
    expect(breaks(webhook({ service, caBundle: bundle(fresh) }), rotation('back'))).toBe(true);
    expect(breaks(webhook({ service, caBundle: bundle(old) }), rotation('back'))).toBe(false);
  });
});

/** A cluster whose lists have these objects, one a page; null for a kind that is not served. */
async function checkOf(lists: Readonly<Record<string, readonly KubeObject[] | null>>) {
  const progress: Progress[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    if (url.includes('/mutating') && lists.mutatingwebhookconfigurations === null) return answer(response, 404, notFound(url));
    const items = lists[pathname.split('/').at(-1) ?? ''];
    if (!items) return answer(response, 403, status(403, 'Forbidden', 'forbidden: User "x" cannot list resource'));
    const at = Number(searchParams.get('continue') ?? 0);
    const more = at + 1 < items.length ? { continue: String(at + 1) } : {};
    return answer(response, 200, { metadata: { resourceVersion: '1', ...more }, items: items.slice(at, at + 1) });
  });
  const check = webhookCheck({
    ...rotation(),
    cluster,
    signal: never,
    caFiles: ['a b/ca.crt', 'next/ca.crt'],
    onProgress: (each: Progress) => progress.push(each),
  });
  return { check, notes: () => progress.flatMap((each) => (each.kind === 'note' ? each.what : [])) };
}

describe('the check of webhooks', () => {
  test('names all of them, on every page, and what to do', async () => {
    const bad = webhook({ service, caBundle: bundle(old) });
    const { check, notes } = await checkOf({
      validatingwebhookconfigurations: [webhook(), bad],
      mutatingwebhookconfigurations: [],
      customresourcedefinitions: [definition({ webhook: { clientConfig: { service, caBundle: bundle(old) } } })],
    });
    expect(await check()).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /trust only the old CA by their own caBundle: validatingwebhookconfiguration\/x, customresourcedefinition\/things\.example\.com$/,
      ),
      fix: expect.stringContaining("cat 'a b/ca.crt' next/ca.crt | base64 | tr -d '\\n'\nkubectl edit validatingwebhookconfiguration/x"),
    });
    expect(notes()).toEqual([]);
  });

  test('needs no webhooks in the cluster', async () => {
    const { check, notes } = await checkOf({
      validatingwebhookconfigurations: [],
      mutatingwebhookconfigurations: null,
      customresourcedefinitions: [],
    });
    expect(await check()).toBeUndefined();
    expect(notes()).toEqual([]);
  });

  test('says once what it may not list', async () => {
    const { check, notes } = await checkOf({ validatingwebhookconfigurations: [], customresourcedefinitions: [] });
    expect(await check()).toBeUndefined();
    expect(await check()).toBeUndefined();
    expect(notes()).toEqual([
      'not checked: whether webhooks trust only the CA that is replaced (list mutatingwebhookconfigurations.admissionregistration.k8s.io)',
    ]);
  });
});
