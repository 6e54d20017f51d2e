import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { DiagnoseOptions } from '../../../src/diagnosis/types.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { day } from '../pki/certificates.ts';
import { everything } from './everything.ts';
import { answers, api, codes, healthy, host, leafFor, now, seen, serves, snapshotOf, unseen } from './snapshots.ts';

const judged = (change: Partial<ApiSnapshot>, options?: DiagnoseOptions) => {
  const [api] = diagnose(snapshotOf({ ...healthy, ...change }), options).apis;
  if (!api) throw new Error('nothing was diagnosed');
  return api;
};

describe('certificates that expire soon', () => {
  test.each([
    [29, undefined, ['cert/expires-soon']],
    [31, undefined, []],
    [31, 40 * day, ['cert/expires-soon']],
    [29, 7 * day, []],
    [29, 0, []],
  ])('in %i days, with expiresWithinMs %s', async (days, expiresWithinMs, expected) => {
    const options = expiresWithinMs === undefined ? {} : { expiresWithinMs };
    const api = judged({ probes: seen([serves(await leafFor([host], days))]) }, options);
    expect(codes(api)).toEqual(expected);
    expect(api.verdict).toBe('healthy');
  });
});

describe('with insecureSkipTLSVerify', () => {
  const apiService = seen({ ...api, caBundle: '', insecureSkipTLSVerify: true });

  test.each([
    [31, []],
    [29, ['cert/expires-soon']],
    [-1, ['cert/expires-soon']],
  ])('the expiry date of a certificate is checked: %i days', async (days, expected) => {
    const served = await leafFor([host], 400);
    const probes = seen([serves({ ...served, notAfter: new Date(now.getTime() + days * day).toISOString() })]);
    expect(codes(judged({ apiService, probes }))).toEqual(expect.arrayContaining(expected));
    expect(codes(judged({ apiService, probes }))).toHaveLength(1 + expected.length);
    expect(judged({ apiService, probes }).verdict).toBe('healthy');
  });
});

describe('strict', () => {
  test('makes the verdict unknown if anything was not checked', () => {
    const hidden = { requestHeader: unseen() };
    expect(judged(hidden)).toMatchObject({ verdict: 'healthy', notChecked: [{ why: 'not allowed' }] });
    expect(judged(hidden, { strict: true }).verdict).toBe('unknown');
    expect(diagnose(snapshotOf({ ...healthy, ...hidden }), { strict: true }).verdict).toBe('unknown');
  });

  test('ignores what does not apply', () => {
    expect(judged(everything, { strict: true }).verdict).toBe('healthy');
  });

  test('does not change the verdict broken', () => {
    expect(judged({ requestHeader: unseen(), aggregated: answers(404, '') }, { strict: true }).verdict).toBe('broken');
  });
});
