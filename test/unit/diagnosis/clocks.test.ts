import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import { timeText } from '../../../src/pki/time-text.ts';
import { inFuture, outdated } from './more-faults.ts';
import {
  absent,
  answers,
  api,
  codes,
  diagnosed,
  healthy,
  host,
  leafCertificate,
  leafFor,
  now,
  seen,
  serves,
  snapshotOf,
} from './snapshots.ts';

const hourMs = 3_600_000;
const at = (ms: number): string => new Date(now.getTime() + ms).toISOString();

describe('the clock of this machine', () => {
  test('is a warning, and reported once', () => {
    const skewed = { ...healthy, apiServerAheadMs: 26 * hourMs };
    const local = { ...skewed, name: 'v1.local', apiService: seen({ ...api, service: undefined, caBundle: '' }) };
    const { apis, verdict } = diagnose(snapshotOf(local, skewed, { ...skewed, name: 'v1.other' }));
    expect(apis.map(codes)).toEqual([[], ['control-plane/clock-skew'], []]);
    expect(verdict).toBe('healthy');
    expect(apis[1]?.findings[0]).toMatchObject({
      severity: 'warning',
      title: 'The clock of this machine is 26 hours behind that of kube-apiserver',
    });
  });

  test.each([
    [7 * 60_000, '7 minutes behind', ''],
    [-3 * hourMs, '3 hours ahead', ' of'],
    [-72 * hourMs, '3 days ahead', ' of'],
  ])('differs by %i ms: %s', (apiServerAheadMs, difference, of) => {
    const [finding] = diagnosed({ apiServerAheadMs }).findings;
    expect(finding?.title).toBe(`The clock of this machine is ${difference}${of} that of kube-apiserver`);
    expect(finding?.evidence[1]).toBe(`time of this machine: ${timeText(at(0))} (${difference})`);
  });

  test('a certificate is judged by the clock of kube-apiserver', async () => {
    const soon = seen([serves({ ...(await leafFor([host])), notAfter: at(hourMs) })]);
    const expired = diagnosed({ apiServerAheadMs: 2 * hourMs, probes: soon, aggregated: answers(503, outdated('')) });
    expect(codes(expired)).toEqual(['control-plane/clock-skew']);
    expect(expired.findings[0]).toMatchObject({
      severity: 'error',
      explains: expect.arrayContaining([expect.objectContaining({ code: 'cert/expired' })]),
    });
    const over = seen([serves({ ...leafCertificate, notAfter: at(-60_000) })]);
    expect(diagnosed({ apiServerAheadMs: -180_000, probes: over }).verdict).toBe('healthy');
  });
});

test('the clock of a node may make the certificate of kube-apiserver look expired', () => {
  const refused = answers(503, 'error trying to reach service: remote error: tls: expired certificate');
  const [finding] = diagnosed({ aggregated: refused }).findings;
  expect(finding?.code).toBe('auth/proxy-certificate-refused');
  expect(finding?.evidence.at(-1)).toBe("according to the clock of the server's node, kube-apiserver's client certificate has expired");
});

describe('the clock of a kube-apiserver', () => {
  test('is wrong if its message has another time, also if no certificate was seen', () => {
    const finding = diagnosed({ probes: absent, aggregated: answers(503, inFuture) }).findings[0];
    expect(finding?.code).toBe('control-plane/wrong-clock');
    expect(finding?.explains.map(({ code }) => code)).toEqual(['cert/expired', 'discovery/request-failed']);
  });

  test.each([
    ['is behind', `current time ${at(-48 * hourMs)} is before ${at(-hourMs)}`, ['control-plane/wrong-clock']],
    ['agrees, and the certificate has expired', `current time ${at(0)} is after ${at(-hourMs)}`, ['cert/expired']],
    ['is not told', 'no more', ['cert/expired']],
    ['differs by seconds: the certificate has just started', `current time ${at(-60_000)} is before ${at(-30_000)}`, ['cert/expired']],
  ])('%s', (_, words, expected) => {
    expect(codes(diagnosed({ probes: absent, aggregated: answers(503, outdated(words)) }))).toEqual(expected);
  });
});
