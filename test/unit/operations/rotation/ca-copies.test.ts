import { describe, expect, test } from 'vitest';
import { secretName } from '../../../../src/config/registration.ts';
import { bundleText } from '../../../../src/operations/rotation/bundles.ts';
import { bothCas, caCopies } from '../../../../src/operations/rotation/ca-copies.ts';
import { type CertificateSet, certificateSet, type Rotation, serviceOf } from '../../../../src/operations/rotation/rotation.ts';
import { trustKeeper } from '../../../../src/operations/rotation/trust-keeper.ts';
import { trustBothStep } from '../../../../src/operations/steps/trust-both.ts';
import { anchorsIn } from '../../../../src/pki/anchors.ts';
import { createAuthority } from '../../../../src/pki/authority.ts';
import { issueServing } from '../../../../src/pki/leaf.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { day, now } from '../../pki/certificates.ts';
import { names, registration } from '../../project/sample.ts';

async function newSet(commonName: string): Promise<CertificateSet> {
  const authority = await createAuthority({ commonName, keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now });
  const { certificates: chain, key } = await issueServing({ authority, names, keyType: 'ecdsa-p256', lifetimeMs: day, now });
  return certificateSet({ chain, key, anchors: anchorsIn(authority.certificates, 'current') }) as CertificateSet;
}

const [old, fresh, third] = [await newSet('old'), await newSet('new'), await newSet('third')];
const service = serviceOf({ registration });
const base64 = (...sets: readonly CertificateSet[]): string =>
  Buffer.from(bundleText(sets.flatMap(({ anchors }) => anchors))).toString('base64');

interface Situation {
  readonly direction?: 'forward' | 'back';
  readonly kind?: 'ca' | 'leaf';
  /** What the caBundle of the webhook has; undefined for a cluster without the webhook. */
  readonly copy?: string | undefined;
  readonly secretCas?: string;
  /** How often cert-manager sees the Secret before it copies it. */
  readonly lag?: number;
  /** Whether another writer puts the former CA back at once. */
  readonly isOverwritten?: boolean;
}

/** A cluster with a webhook whose caBundle cert-manager copies from the Secret. */
async function situation({ direction = 'forward', kind = 'ca', copy, secretCas = base64(old), lag = 0, isOverwritten }: Situation) {
  const [from, to] = direction === 'forward' ? [old, fresh] : [fresh, old];
  const events: string[] = [];
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...{ namespace: service.namespace, name: secretName(registration), resourceVersion: '1' },
      annotations: { 'cert-manager.io/allow-direct-injection': 'true' },
    },
    data: { 'ca.crt': secretCas, 'tls.crt': 'unchanged' },
  };
  const clientConfig = { service, caBundle: copy };
  const webhook = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: 'x', annotations: { 'cert-manager.io/inject-ca-from-secret': `${service.namespace}/${secret.metadata.name}` } },
    webhooks: [{ clientConfig }],
  };
  const apiService = {
    metadata: { name: 'v1.example.com', resourceVersion: '1' },
    spec: { service: { ...service, port: registration.spec.service.port }, caBundle: base64(old, fresh) },
  };
  let left = lag;
  const items = (found: readonly object[]) => ({ metadata: { resourceVersion: '1' }, items: found });
  const cluster = await clusterOf(({ method, url, body }, response) => {
    const path = url.split('?')[0] ?? '';
    if (method === 'PATCH') {
      events.push(`write ${path.split('/').at(-1)}: ${Object.keys(JSON.parse(body).data).join()}`);
      if (!isOverwritten) Object.assign(secret.data, JSON.parse(body).data);
      return answer(response, 200, secret);
    }
    if (path.endsWith('/apiservices')) return answer(response, 200, items([apiService]));
    if (path.endsWith('/validatingwebhookconfigurations')) return answer(response, 200, items(copy === undefined ? [] : [webhook]));
    if (path.includes('/secrets/')) return answer(response, 200, secret);
    if (!path.endsWith('/x')) return path.endsWith('s') ? answer(response, 200, items([])) : answer(response, 404, notFound(url));
    // cert-manager copies a change some time later.
    if (events.length > 0 && left-- <= 0) clientConfig.caBundle = secret.data['ca.crt'];
    answer(response, 200, webhook);
  });
  const notes: string[] = [];
  const rotation = {
    ...{ cluster, signal: never, registration, kind, direction, from, to, forceConflicts: false, now: () => now },
    onProgress: ({ kind: which, what }: { readonly kind: string; readonly what: string }) => which === 'note' && notes.push(what),
    renewLease: async () => {},
    caFiles: [],
  } as unknown as Rotation;
  return { rotation, copies: caCopies(rotation), events, secret, clientConfig };
}

const wrote = `write ${secretName(registration)}: ca.crt`;

describe('a webhook that copies the CA from the Secret', () => {
  test.each(['forward', 'back'] as const)('%s: gets both CAs and is awaited, while the certificate stays', async (direction) => {
    const only = direction === 'forward' ? base64(old) : base64(fresh);
    const { copies, events, secret, clientConfig } = await situation({ direction, copy: only, secretCas: only, lag: 2 });
    expect(await copies.observe()).toEqual({ conflict: undefined, isPending: true });
    expect(await copies.keep()).toBe(false);
    expect(events).toEqual([wrote]);
    expect(secret.data).toEqual({ 'ca.crt': direction === 'forward' ? base64(fresh, old) : base64(old, fresh), 'tls.crt': 'unchanged' });
    expect(clientConfig.caBundle).toBe(secret.data['ca.crt']);
    expect(await copies.keep()).toBe(true);
  });

  test('is found and awaited also without a look before', async () => {
    const { copies, events } = await situation({ copy: base64(old) });
    expect(await copies.keep()).toBe(false);
    expect(events).toEqual([wrote]);
  });

  test('needs no write when it has both', async () => {
    const { copies, events } = await situation({ copy: base64(old, fresh) });
    expect(await copies.observe()).toEqual({ conflict: undefined, isPending: false });
    expect(await copies.keep()).toBe(true);
    expect(events).toEqual([]);
  });

  test('is no reason to wait for a new certificate of the same CA', async () => {
    const { copies, events } = await situation({ copy: base64(old), kind: 'leaf' });
    expect(await copies.keep()).toBe(true);
    expect(events).toEqual([]);
  });

  test('is not awaited while the CAs in the Secret are overwritten', async () => {
    const { copies } = await situation({ copy: base64(old), isOverwritten: true });
    await expect(copies.keep()).rejects.toThrow(/^Secret \S+ was changed during the rotation by .*: its ca\.crt does not have both CAs$/);
  });
});

test('a cluster without such webhooks gets no additional write', async () => {
  const { copies, events } = await situation({});
  expect(await copies.observe()).toEqual({ conflict: undefined, isPending: false });
  expect(await copies.keep()).toBe(true);
  expect(events).toEqual([]);
});

test('the Secret keeps the other CAs that it has', async () => {
  const { rotation, secret } = await situation({ secretCas: base64(old, third) });
  const pem = (...sets: readonly CertificateSet[]) => bundleText(sets.flatMap(({ anchors }) => anchors));
  expect(bothCas(secret, rotation)).toBe(pem(fresh, old, third));
  expect(bothCas(secret, { ...rotation, from: undefined })).toBe(pem(fresh, old, third));
});

describe('both CAs are trusted', () => {
  const stepOf = async (options: Situation, isDelivered: boolean) => {
    const { rotation, copies, events } = await situation(options);
    const look = async () => ({ probes: [], waiting: [], pods: [], complete: false, others: [], remaining: [] });
    return { step: trustBothStep(rotation, { keeper: trustKeeper(rotation), copies }, look, async () => isDelivered), events };
  };

  test.each(['forward', 'back'] as const)('%s: only when the copies have them too', async (direction) => {
    const { step, events } = await stepOf({ direction, copy: direction === 'forward' ? base64(old) : base64(fresh) }, false);
    expect(await step.observe()).toEqual({ state: 'pending' });
    await step.run();
    expect(events).toEqual([wrote]);
    expect(await step.observe()).toEqual({ state: 'done' });
  });

  test('on the way back, when nothing was delivered', async () => {
    const { step } = await stepOf({ direction: 'back', copy: base64(fresh) }, true);
    expect(await step.observe()).toEqual({ state: 'done' });
  });
});
