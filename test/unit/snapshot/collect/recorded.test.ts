import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../../src/diagnosis/diagnose.ts';
import type { ApiSnapshot, Observed } from '../../../../src/snapshot/types.ts';
import { recorded } from '../../diagnosis/recorded.ts';

/**
 * Recorded snapshots of healthy real servers: every part of a snapshot has its expected value.
 */
describe.each([
  ['sample-apiserver', '1.37'],
  ['metrics-server', '1.35'],
] as const)('%s on %s', (name, kubernetes) => {
  const snapshot = recorded(name, kubernetes);
  const api = snapshot.apis[0] as ApiSnapshot;
  const value = <T>(observed: Observed<T>): T => {
    if (observed.state !== 'seen') throw new Error(`not seen: ${JSON.stringify(observed)}`);
    return observed.value;
  };

  test('is healthy, and everything was checked', () => {
    expect(diagnose(snapshot).apis).toMatchObject([{ verdict: 'healthy', notChecked: [] }]);
  });

  test('serves the certificate of the Secret that its flags name', () => {
    const [probe] = value(api.probes);
    const served = probe?.handshake.kind === 'served' ? probe.handshake.certificates[0]?.fingerprint : undefined;
    const { name: secret, certificates, keyMatches, otherKeys } = value(api.secret);
    expect({ served: served ?? 'nothing', keyMatches, otherKeys }).toEqual({
      served: certificates[0]?.fingerprint,
      keyMatches: true,
      otherKeys: ['ca.crt'],
    });
    expect(value(api.server)).toMatchObject({
      flags: expect.arrayContaining(['--tls-cert-file=/var/run/serving-cert/tls.crt']),
      secrets: [{ name: secret, mountPath: '/var/run/serving-cert', subPath: false }],
    });
  });

  test('refuses anonymous requests and forged headers, and may create reviews', () => {
    expect([value(api.anonymous).status, value(api.forged).status]).toEqual([403, 403]);
    expect(value(api.forged).body).toContain('system:anonymous');
    expect(value(api.delegation)).toMatchObject({ mayReview: true, mayReadAuthentication: true });
    expect(value(api.requestHeader)).toMatchObject({ allowedNames: ['front-proxy-client'], hasClientCa: true, holdsPrivateKey: false });
  });

  test('is in discovery, also for an ordinary user', () => {
    expect([value(api.group).status, value(api.asUser)]).toMatchObject([200, { status: 200, allowed: true }]);
    expect(value(api.listed).resources.length).toBeGreaterThan(0);
    // The document itself is not kept.
    expect(value(api.openApi).status === 200 ? value(api.openApi).body : '').toBe('');
  });
});
