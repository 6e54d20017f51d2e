import { expect, test } from 'vitest';
import { secretName } from '../../../src/config/registration.ts';
import { DeadlineError } from '../../../src/errors.ts';
import { certManager } from '../../../src/issuers/cert-manager.ts';
import { othersSecretStep } from '../../../src/operations/steps/others-secret.ts';
import { createAuthority } from '../../../src/pki/authority.ts';
import { issueServing } from '../../../src/pki/leaf.ts';
import { answer, clusterOf, never, notFound, status } from '../cluster/kube-api.ts';
import { rejection } from '../operations/waiting.ts';
import { day } from '../pki/certificates.ts';
import { having, names } from '../project/sample.ts';

/** What cert-manager reports while `register` waits for its Secret. */

const registration = having('issuer: {type: cert-manager}');
const secret = secretName(registration);
const { namespace } = registration.metadata;
const condition = (type: string, state: string, message: string, observedGeneration = 2) => ({
  ...{ type, status: state, reason: 'x', message },
  observedGeneration,
});
const notReady = condition('Ready', 'False', 'Issuing certificate as Secret does not exist');
const pending = {
  metadata: {
    name: `${secret}-1`,
    annotations: { 'cert-manager.io/certificate-name': secret, 'cert-manager.io/certificate-revision': '1' },
  },
  status: { conditions: [condition('Ready', 'False', 'Referenced "Issuer" not found')] },
};
const issuedAt = new Date();
const authority = await createAuthority({ commonName: 'CA', keyType: 'ecdsa-p256', lifetimeMs: 100 * day, now: issuedAt });
const leafFor = (dns: readonly string[]) =>
  issueServing({ authority, names: { dns, ip: [] }, keyType: 'ecdsa-p256', lifetimeMs: 10 * day, now: issuedAt });
const [other, own] = await Promise.all([leafFor(['other.example.com']), leafFor(names.dns)]);

/** @param conditions of the Certificate, one for each time that it is read; the last ones stay */
async function certManagerIn(conditions: readonly (readonly object[])[], requests?: readonly object[], secrets = [other]) {
  const [states, issued] = [[...conditions], [...secrets]];
  const cluster = await clusterOf(({ url }, response) => {
    if (url.includes('/certificaterequests'))
      return requests ? answer(response, 200, { metadata: {}, items: requests }) : answer(response, 403, status(403, 'Forbidden', 'no'));
    if (url.includes('/secrets/')) {
      const [leaf = other] = issued.length > 1 ? issued.splice(0, 1) : issued;
      const base64 = (text: string) => Buffer.from(text).toString('base64');
      return answer(response, 200, {
        metadata: { name: secret },
        data: { 'tls.crt': base64(leaf.certificates), 'tls.key': base64(leaf.key.reveal()) },
      });
    }
    const [state] = states.length > 1 ? states.splice(0, 1) : states;
    return state
      ? answer(response, 200, { metadata: { name: secret, namespace, generation: 2 }, status: { conditions: state } })
      : answer(response, 404, notFound(url));
  });
  return { cluster, registration, signal: never };
}

test.each([
  ['the CertificateRequest that waits', [notReady], [pending], `CertificateRequest ${secret}-1: Referenced "Issuer" not found`],
  ['the Certificate where the requests may not be read', [notReady], undefined, notReady.message],
  ['the Certificate before there is a request', [notReady], [], notReady.message],
  ['that nobody has read the Certificate', [], [], 'no Ready condition yet; cert-manager may not be running'],
  ['that the change was not read yet', [condition('Ready', 'True', '', 1)], [], 'cert-manager has not processed its latest change yet'],
])('says %s', async (_, conditions, requests, words) => {
  const found = await certManager.explainMissingSecret?.(await certManagerIn([conditions], requests));
  expect(found).toBe(`Certificate ${namespace}/${secret} is not ready: ${words}`);
});

test('says nothing of a Certificate that is ready, or that does not exist', async () => {
  expect(await certManager.explainMissingSecret?.(await certManagerIn([[condition('Ready', 'True', '')]]))).toBeUndefined();
  expect(await certManager.explainMissingSecret?.(await certManagerIn([]))).toBeUndefined();
});

test('a certificate for other names is awaited until cert-manager has replaced it', async () => {
  const where = await certManagerIn([[notReady], [condition('Ready', 'True', '')]], [], [other, other, own]);
  const states: string[] = [];
  const onProgress = (each: { readonly kind: string; readonly last?: string }) => void states.push(each.last ?? '');
  const step = othersSecretStep({ ...where, onProgress }, { registration, fileAnchors: undefined });
  expect(await step.observe()).toEqual({ state: 'pending' });
  await step.run();
  expect(states).toEqual([`Certificate ${namespace}/${secret} is not ready: ${notReady.message}`]);
  expect(step.certificate()?.presented).toHaveLength(1);
});

test('a certificate for other names is an error as soon as the Certificate is ready', async () => {
  const where = await certManagerIn([[condition('Ready', 'True', '')]], []);
  const step = othersSecretStep({ ...where, onProgress: () => {} }, { registration, fileAnchors: undefined });
  expect(await rejection(step.run())).toMatchObject({ message: expect.stringMatching(/cannot be used:\n.* is not valid for /) });
});

test('the fix of a wait that ends shows the conditions of cert-manager', async () => {
  const deadline = new AbortController();
  const where = { ...(await certManagerIn([[notReady]], [pending])), signal: deadline.signal };
  // It ends after the first look.
  const onProgress = (): void => deadline.abort(new DeadlineError('timed out after 1s'));
  const step = othersSecretStep({ ...where, onProgress }, { registration, fileAnchors: undefined });
  expect(await rejection(step.run())).toMatchObject({
    message: expect.stringContaining('Referenced "Issuer" not found'),
    fix: expect.stringContaining(`kubectl -n ${namespace} describe certificates,certificaterequests,issuers`),
  });
});
