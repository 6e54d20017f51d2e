import { describe, expect, test } from 'vitest';
import { secretName } from '../../../../src/config/registration.ts';
import type { Registration } from '../../../../src/config/schema.ts';
import { certificateRef, requestIssuance } from '../../../../src/operations/renew/issuance.ts';
import { issue, renewStep } from '../../../../src/operations/renew/renew-step.ts';
import { clockSkewMs } from '../../../../src/pki/clock-skew.ts';
import { issueServing } from '../../../../src/pki/leaf.ts';
import { answer, clusterOf, never, notFound } from '../../cluster/kube-api.ts';
import { day, now as issuedAt } from '../../pki/certificates.ts';
import { authority, names, registration } from '../../project/sample.ts';
import { rejection } from '../waiting.ts';

const ref = certificateRef('wardle', 'api-tls');
const path = '/apis/cert-manager.io/v1/namespaces/wardle/certificates/api-tls';
const now = (): Date => new Date('2026-06-15T12:00:00.400Z');

const condition = (type: string, status: string, reason = 'x', message = '') => ({ type, status, reason, message });
const ready = condition('Ready', 'True');
const issuing = condition('Issuing', 'True', 'ManuallyTriggered');

/** @param states of the Certificate, one for each time that it is read; the last one stays */
async function certificate(states: readonly object[], requests: readonly object[] = [], conflicts = 0) {
  const patches: unknown[] = [];
  /** How many patches there were before each renewal of the Lease. */
  const renewals: number[] = [];
  const states_ = [...states];
  let refused = 0;
  const cluster = await clusterOf(({ method, url, body }, response) => {
    if (method === 'PATCH') {
      patches.push({ url: url.split('?')[0], body: JSON.parse(body) });
      refused += 1;
      return answer(response, refused <= conflicts ? 409 : 200, refused <= conflicts ? { kind: 'Status', message: 'changed' } : {});
    }
    if (url.includes('/certificaterequests')) return answer(response, 200, { metadata: {}, items: requests });
    const [state] = states_.length > 1 ? states_.splice(0, 1) : states_;
    const metadata = { namespace: 'wardle', name: 'api-tls', resourceVersion: '7', generation: 2 };
    return state ? answer(response, 200, { metadata, status: state }) : answer(response, 404, notFound(url));
  });
  const lines: string[] = [];
  const where = {
    cluster,
    signal: never,
    registration: {} as Registration,
    now,
    renewLease: async () => void renewals.push(patches.length),
    onProgress: (each: { readonly kind: string; readonly last?: string }) => void lines.push(each.last ?? each.kind),
  };
  return { where, patches, renewals, lines };
}

describe('requestIssuance', () => {
  test.each([
    ['now', '2026-06-15T11:00:00Z', '2026-06-15T12:00:00Z'],
    ['after a failure in this second', '2026-06-15T12:00:00Z', '2026-06-15T12:00:01Z'],
  ])('sets the condition Issuing, and keeps the others: %s', async (_, lastFailureTime, lastTransitionTime) => {
    const failed = condition('Issuing', 'False', 'Failed');
    const { where, patches } = await certificate([{ conditions: [ready, failed], lastFailureTime }], [], 1);
    await requestIssuance(where, ref);
    const wanted = {
      url: `${path}/status`,
      body: {
        metadata: { resourceVersion: '7' },
        status: {
          conditions: [
            ready,
            {
              ...condition('Issuing', 'True', 'ManuallyTriggered', 'Certificate re-issuance manually triggered'),
              lastTransitionTime,
              observedGeneration: 2,
            },
          ],
        },
      },
    };
    // Another writer was faster than the first patch.
    expect(patches).toEqual([wanted, wanted]);
  });

  test('leaves an issuance in progress alone', async () => {
    const { where, patches } = await certificate([{ conditions: [ready, issuing] }]);
    await requestIssuance(where, ref);
    expect(patches).toEqual([]);
  });

  test('names a Certificate that does not exist', async () => {
    const { where } = await certificate([]);
    expect(await rejection(requestIssuance(where, ref))).toMatchObject({ message: 'Certificate wardle/api-tls not found' });
  });
});

describe('issue', () => {
  const request = (revision: string, ...conditions: readonly object[]) => ({
    metadata: {
      name: `api-tls-${revision}`,
      annotations: { 'cert-manager.io/certificate-name': 'api-tls', 'cert-manager.io/certificate-revision': revision },
    },
    status: { conditions },
  });
  const states = [{ conditions: [ready] }, { conditions: [ready, issuing], revision: 3 }, { conditions: [ready], revision: 4 }];

  test.each([
    ['no CertificateRequest yet; the cert-manager controller may not be running', [request('3')]],
    ['CertificateRequest wardle/api-tls-4 is not approved or signed yet', [request('4'), request('3')]],
    [
      'CertificateRequest wardle/api-tls-4: Ready=False (Pending): no Issuer',
      [request('4', condition('Ready', 'False', 'Pending', 'no Issuer'))],
    ],
  ])('waits, and says: %s', async (words, requests) => {
    const { where, lines, patches, renewals } = await certificate(states, requests);
    let looks = 0;
    await issue(where, ref, async () => ++looks > 1);
    expect(lines).toEqual([words]);
    // Only the holder of the Lease knows which CA is trusted.
    expect({ patches: patches.length, renewals }).toEqual({ patches: 1, renewals: [0] });
  });

  test('does not ask for what is renewed already', async () => {
    const { where, patches } = await certificate([{ conditions: [ready] }]);
    await issue(where, ref, async () => true);
    expect(patches).toEqual([]);
  });

  test('waits until the Certificate is ready', async () => {
    const { where, lines } = await certificate([
      { conditions: [ready] },
      { conditions: [condition('Ready', 'False', 'Old', 'x')] },
      { conditions: [ready] },
    ]);
    let looks = 0;
    await issue(where, ref, async () => ++looks > 1);
    expect(lines).toEqual(['Ready=False (Old): x']);
  });

  test('fails with the reason of cert-manager', async () => {
    const { where } = await certificate([
      { conditions: [ready] },
      { conditions: [ready, condition('Issuing', 'False', 'Failed', 'no')], lastFailureTime: 'x' },
    ]);
    expect(await rejection(issue(where, ref, async () => false))).toMatchObject({
      message: 'cert-manager did not renew Certificate wardle/api-tls: Failed: no\nthe old certificate stays in use',
    });
  });
});

test('a certificate that is valid from now on is accepted, though the time of kube-apiserver is in whole seconds', async () => {
  const time = new Date(issuedAt.getTime() - 1_000);
  const { namespace } = registration.metadata;
  const certificateOfProject = certificateRef(namespace, secretName(registration));
  const made = await issueServing({
    authority,
    names,
    keyType: 'ecdsa-p256',
    lifetimeMs: 5 * day,
    now: new Date(issuedAt.getTime() + clockSkewMs),
  });
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const data = { 'ca.crt': base64(authority.certificates), 'tls.crt': base64(made.certificates), 'tls.key': base64(made.key.reveal()) };
  const cluster = await clusterOf(({ url }, response) =>
    answer(response, 200, url.includes('/secrets/') ? { metadata: {}, data } : { metadata: {}, status: { conditions: [ready] } }),
  );
  const where = { cluster, signal: never, registration, now: () => time, onProgress: () => {}, renewLease: async () => {} };
  const step = renewStep(where, certificateOfProject, undefined, async () => {});
  await step.run();
  expect(step.brought().presented[0]?.notBefore).toBe(issuedAt.toISOString());
});
