import { expect, test } from 'vitest';
import type { Progress } from '../../../../src/operations/progress.ts';
import { requireWebhooks } from '../../../../src/operations/renew/webhooks.ts';
import type { CertificateInfo } from '../../../../src/pki/types.ts';
import { answer, clusterOf, never, status } from '../../cluster/kube-api.ts';
import { bundleOf, ca, otherCa } from '../../diagnosis/snapshots.ts';
import { now } from '../../pki/certificates.ts';
import { having } from '../../project/sample.ts';
import { rejection } from '../waiting.ts';

const registration = having('issuer: {type: cert-manager}');
const { namespace } = registration.metadata;
const service = { namespace, name: registration.spec.service.name };
const annotation = 'cert-manager.io/inject-ca-from';

/** @param items the ValidatingWebhookConfigurations; undefined where nothing may be listed */
async function check(items: readonly object[] | undefined, signer?: readonly CertificateInfo[]) {
  const progress: Progress[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    if (!items) return answer(response, 403, status(403, 'Forbidden', 'no'));
    return answer(response, 200, { metadata: {}, items: url.includes('/validatingwebhookconfigurations') ? items : [] });
  });
  const where = { cluster, signal: never, registration, now: () => now, onProgress: (each: Progress) => void progress.push(each) };
  return { done: requireWebhooks(where, [ca], signer), progress };
}

const webhook = (caBundle: string | undefined, to: object = service, annotations = {}) => ({
  metadata: { name: 'x', annotations },
  webhooks: [{ clientConfig: { service: to, caBundle } }],
});

test.each([
  ['of another Service', [webhook(bundleOf(ca), { ...service, name: 'other' })], undefined],
  ['without a caBundle', [webhook(undefined)], undefined],
  ['that rejects the certificate in use already', [webhook(bundleOf(otherCa))], undefined],
  ['that trusts the CA that signs now too', [webhook(bundleOf(ca, otherCa))], [otherCa]],
])('a webhook is no reason to refuse: %s', async (_, items, signer) => {
  const { done, progress } = await check(items, signer);
  await done;
  expect(progress).toEqual([]);
});

test('a webhook that trusts only the present CA is refused before the CA is renewed', async () => {
  const { done } = await check([webhook(bundleOf(ca, otherCa), service, { [annotation]: 'a/b' })]);
  expect(await rejection(done)).toMatchObject({
    message: `webhooks of Service ${namespace}/${service.name} trust only the current CA: validatingwebhookconfiguration/x\nnothing was changed`,
    fix: [
      `Renew the CA: cmctl renew -n ${namespace} ${registration.metadata.name}-ca`,
      'Stop the controllers that write these caBundles, or let them add the CA:',
      `kubectl annotate validatingwebhookconfiguration/x ${annotation}-`,
      'Add the new CA to the caBundle of each of these webhooks, and keep the current one:',
      'kubectl edit validatingwebhookconfiguration/x',
      'Then run: apisvc rotate',
    ].join('\n'),
  });
});

test('and after it was renewed, before the certificate is', async () => {
  const { done } = await check([webhook(bundleOf(ca))], [otherCa]);
  expect(await rejection(done)).toMatchObject({ message: expect.stringMatching(/^webhooks of Service \S+ trust only the current CA/) });
});

test('what may not be listed is said', async () => {
  const { done, progress } = await check(undefined);
  await done;
  expect(progress).toEqual([
    {
      kind: 'note',
      what: expect.stringMatching(/^not checked: whether webhooks of Service \S+ accept the new certificate \(list \S+: forbidden; /),
    },
  ]);
});
