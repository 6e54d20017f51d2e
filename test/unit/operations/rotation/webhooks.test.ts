import { beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../../../src/cluster/cluster.ts';
import { secretName } from '../../../../src/config/registration.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { bundleText } from '../../../../src/operations/rotation/bundles.ts';
import { type CertificateSet, certificateSet, type Rotation } from '../../../../src/operations/rotation/rotation.ts';
import { breaks, webhookCheck } from '../../../../src/operations/rotation/webhooks.ts';
import { anchorsIn } from '../../../../src/pki/anchors.ts';
import { caConstraints, keyUsage, nameConstraints, subjectAltName } from '../../../../src/pki/extensions.ts';
import { issueServing } from '../../../../src/pki/leaf.ts';
import { answer, clusterOf, never, notFound, status } from '../../cluster/kube-api.ts';
import { asAuthority, day, type Made, make, makeCa, now } from '../../pki/certificates.ts';
import { names, registration } from '../../project/sample.ts';

/** A certificate of a CA for the server of the sample project. */
async function setOf(ca: Made): Promise<CertificateSet> {
  const authority = asAuthority(ca);
  const { certificates: chain, key } = await issueServing({ authority, names, keyType: 'ecdsa-p256', lifetimeMs: day, now });
  return certificateSet({ chain, key, anchors: anchorsIn(authority.certificates, 'next') }) as CertificateSet;
}

let oldCa: Made;
let old: CertificateSet;
let fresh: CertificateSet;

beforeAll(async () => {
  oldCa = await makeCa({ commonName: 'old' });
  [old, fresh] = [await setOf(oldCa), await setOf(await makeCa({ commonName: 'new' }))];
});

const service = { namespace: registration.metadata.namespace, name: registration.spec.service.name };
const bundle = (...sets: readonly CertificateSet[]): string =>
  Buffer.from(bundleText(sets.flatMap(({ anchors }) => anchors))).toString('base64');
const rotation = (direction: 'forward' | 'back' = 'forward', more: Partial<Rotation> = {}) => {
  const [from, to] = direction === 'forward' ? [old, fresh] : [fresh, old];
  return { registration, direction, from, to, now: () => now, ...more } as Rotation;
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
    expect(breaks(webhook({ service, caBundle: bundle(fresh) }), rotation('back', { from: undefined }))).toBe(false);
  });

  test('not if it accepts the certificate by another CA certificate of the same key', async () => {
    const to = await setOf(await makeCa({ commonName: 'old', keyPair: oldCa.keyPair }));
    expect(to.anchors).not.toEqual(old.anchors);
    expect(breaks(webhook({ service, caBundle: bundle(old) }), rotation('forward', { to }))).toBe(false);
  });

  test('also if it has the new CA, but a name constraint of that CA forbids the certificate', async () => {
    const nameConstraintsOfOthers = nameConstraints({ dns: ['example.org'], ip: [] });
    const ca = await makeCa({ commonName: 'narrow', extensions: [caConstraints(0), keyUsage('keyCertSign'), nameConstraintsOfOthers] });
    const to = {
      ...(await setOf(oldCa)),
      anchors: [ca.info],
      presented: [(await make({ commonName: '', issuer: ca, extensions: [subjectAltName(names, false)] })).info],
    };
    expect(breaks(webhook({ service, caBundle: bundle(old, to) }), rotation('forward', { to }))).toBe(true);
  });

  test('also if the old certificate has expired, because the CA is what it trusts', () => {
    const later = (): Date => new Date(now.getTime() + 2 * day);
    expect(breaks(webhook({ service, caBundle: bundle(old) }), rotation('forward', { now: later }))).toBe(true);
  });
});

interface Situation {
  /** The objects of each list, one a page; null for a kind that is not served. */
  readonly lists: Readonly<Record<string, readonly KubeObject[] | null>>;
  readonly secretAnnotations?: Readonly<Record<string, string>>;
  /** The list that is not answered. */
  readonly silent?: string;
  /** How often it is not answered. Without it, always. */
  readonly silences?: number;
}

async function checkOf(
  { lists, secretAnnotations = {}, silent, silences = Number.POSITIVE_INFINITY }: Situation,
  more: Partial<Rotation> = {},
) {
  const progress: Progress[] = [];
  let unanswered = 0;
  let requests = 0;
  const cluster = await clusterOf(({ url }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://x');
    const last = pathname.split('/').at(-1) ?? '';
    requests += 1;
    if (pathname === '/silent') return;
    if (pathname.includes('/secrets/'))
      return answer(response, 200, { metadata: { ...service, name: last, annotations: secretAnnotations } });
    if (url.includes('/mutating') && lists.mutatingwebhookconfigurations === null) return answer(response, 404, notFound(url));
    const items = lists[last];
    if (!items) return answer(response, 403, status(403, 'Forbidden', 'forbidden: User "x" cannot list resource'));
    const at = Number(searchParams.get('continue') ?? 0);
    const more = at + 1 < items.length ? { continue: String(at + 1) } : {};
    return answer(response, 200, { metadata: { resourceVersion: '1', ...more }, items: items.slice(at, at + 1) });
  });
  const impatient: Cluster = {
    ...cluster,
    request: (request) => {
      if (silent === undefined || !request.path.endsWith(silent) || unanswered >= silences) return cluster.request(request);
      unanswered += 1;
      return cluster.request({ ...request, path: '/silent', timeoutMs: 50 });
    },
  };
  const check = webhookCheck({
    ...rotation(),
    cluster: impatient,
    signal: never,
    caFiles: ['a b/ca.crt', 'next/ca.crt'],
    onProgress: (each: Progress) => progress.push(each),
    ...more,
  });
  return {
    check: async () => (await check()).conflict,
    unanswered: () => unanswered,
    requests: () => requests,
    notes: () => progress.flatMap((each) => (each.kind === 'note' ? each.what : [])),
  };
}

const none = { validatingwebhookconfigurations: [], mutatingwebhookconfigurations: [], customresourcedefinitions: [] };

describe('the check of webhooks', () => {
  test('names all of them, on every page, and what to do', async () => {
    const bad = webhook({ service, caBundle: bundle(old) });
    const { check, notes } = await checkOf({
      lists: {
        validatingwebhookconfigurations: [webhook(), bad],
        mutatingwebhookconfigurations: [],
        customresourcedefinitions: [definition({ webhook: { clientConfig: { service, caBundle: bundle(old) } } })],
      },
    });
    expect(await check()).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /trust the old certificate, but the new one does not verify against their caBundle: validatingwebhookconfiguration\/x, customresourcedefinition\/things\.example\.com$/,
      ),
      fix: expect.stringContaining("cat 'a b/ca.crt' next/ca.crt | base64 | tr -d '\\n'\nkubectl edit validatingwebhookconfiguration/x"),
    });
    expect(notes()).toEqual([]);
  });

  test('needs no webhooks in the cluster', async () => {
    const { check, notes } = await checkOf({ lists: { ...none, mutatingwebhookconfigurations: null } });
    expect(await check()).toBeUndefined();
    expect(notes()).toEqual([]);
  });

  test('says once what it may not list', async () => {
    const { validatingwebhookconfigurations, customresourcedefinitions } = none;
    const { check, notes } = await checkOf({ lists: { validatingwebhookconfigurations, customresourcedefinitions } });
    expect(await check()).toBeUndefined();
    expect(await check()).toBeUndefined();
    expect(notes()).toEqual([
      `not checked: whether webhooks of Service ${service.namespace}/${service.name} accept the new certificate (list mutatingwebhookconfigurations.admissionregistration.k8s.io: forbidden)`,
    ]);
  });

  test('asks again after one time-out', async () => {
    const { check, notes, unanswered } = await checkOf({
      lists: { ...none, validatingwebhookconfigurations: [webhook({ service, caBundle: bundle(old) })] },
      silent: 'validatingwebhookconfigurations',
      silences: 1,
    });
    expect((await check())?.message).toContain('does not verify against their caBundle: validatingwebhookconfiguration/x');
    expect({ notes: notes(), unanswered: unanswered() }).toEqual({ notes: [], unanswered: 1 });
  });

  test('asks a list that timed out twice only once more in each later check', async () => {
    const { check, unanswered } = await checkOf({ lists: none, silent: 'customresourcedefinitions' });
    await check();
    expect(unanswered()).toBe(2);
    await check();
    expect(unanswered()).toBe(3);
  });

  test('says that it does not know where the certificate to withdraw is not known', async () => {
    const { check, notes, requests } = await checkOf({ lists: none }, { ...rotation('back'), from: undefined });
    expect(await check()).toBeUndefined();
    expect(await check()).toBeUndefined();
    expect(notes()).toEqual([
      `not checked: whether webhooks of Service ${service.namespace}/${service.name} accept the old certificate (the new certificate is not known)`,
    ]);
    expect(requests()).toBe(0);
  });

  test('says which list timed out, and goes on', async () => {
    const { check, notes } = await checkOf({ lists: none, silent: 'customresourcedefinitions' });
    expect(await check()).toBeUndefined();
    expect(notes()).toEqual([
      `not checked: whether webhooks of Service ${service.namespace}/${service.name} accept the new certificate (list customresourcedefinitions.apiextensions.k8s.io: timed out)`,
    ]);
  });
});

describe('a webhook into which cert-manager injects the CA', () => {
  const injected = (annotations: Readonly<Record<string, string>>): KubeObject => ({
    ...webhook({ service, caBundle: bundle(old) }),
    metadata: { name: 'x', annotations },
  });
  const secret = `${service.namespace}/${secretName(registration)}`;
  const fromSecret = { 'cert-manager.io/inject-ca-from-secret': secret };
  const fromCertificate = { 'cert-manager.io/inject-ca-from': `${service.namespace}/api` };
  const allowed = { 'cert-manager.io/allow-direct-injection': 'true' };
  const checked = (annotations: Readonly<Record<string, string>>, secretAnnotations: Readonly<Record<string, string>>) =>
    checkOf({ lists: { ...none, validatingwebhookconfigurations: [injected(annotations)] }, secretAnnotations });

  test.each([
    ['from the Secret that is rotated', fromSecret, allowed],
    ['from that Secret, not from the Certificate', { ...fromSecret, 'cert-manager.io/inject-ca-from': 'other/ca' }, allowed],
    ['from the Certificate of that Secret', fromCertificate, { 'cert-manager.io/certificate-name': 'api' }],
  ])('%s follows the rotation, and is named', async (_, annotations, secretAnnotations) => {
    const { check, notes } = await checked(annotations, secretAnnotations);
    expect(await check()).toBeUndefined();
    expect(notes()).toEqual([
      `validatingwebhookconfiguration/x: cert-manager copies its caBundle from Secret ${secret}, to which both CAs are written before the new certificate`,
    ]);
  });

  test.each([
    ['from a Secret that does not allow it', fromSecret, {}],
    ['from another Secret', { 'cert-manager.io/inject-ca-from-secret': 'other/ca' }, allowed],
    ['from another Certificate', fromCertificate, { 'cert-manager.io/certificate-name': 'other' }],
    [
      'from another Secret, not from the Certificate of this one',
      { ...fromCertificate, 'cert-manager.io/inject-ca-from-secret': 'other/ca' },
      { ...allowed, 'cert-manager.io/certificate-name': 'api' },
    ],
  ])('%s is refused', async (_, annotations, secretAnnotations) => {
    const { check, notes } = await checked(annotations, secretAnnotations);
    const fault = await check();
    expect(fault?.message).toContain(': validatingwebhookconfiguration/x');
    expect(fault?.fix).toMatch(
      /^Stop the controllers .*\nkubectl annotate validatingwebhookconfiguration\/x cert-manager\.io\/inject-ca-from/,
    );
    expect(notes()).toEqual([]);
  });
});
