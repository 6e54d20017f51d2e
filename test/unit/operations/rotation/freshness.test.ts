import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { freshMs, judgeRenewals, type Renewals, recordRenewals } from '../../../../src/operations/rotation/freshness.ts';

const lease = (name: string, renewTime: string): KubeObject => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name },
  spec: { renewTime },
});

type Look = readonly [nowMs: number, leases: Readonly<Record<string, string>>];

/** Records looks one after the other. */
const recordAll = (...looks: readonly Look[]): Renewals =>
  looks.reduce<Renewals | undefined>(
    (before, [nowMs, leases]) =>
      recordRenewals(
        before,
        Object.entries(leases).map(([name, time]) => lease(name, time)),
        nowMs,
      ),
    undefined,
  ) ?? new Map();

const settleMs = 10_000;

describe('the kube-apiservers have taken up a change', () => {
  test('not before each Lease is renewed', () => {
    const seen = recordAll([0, { a: '1', b: '1' }], [5_000, { a: '2', b: '1' }]);
    expect(judgeRenewals(seen, { nowMs: 60_000, settleMs })).toEqual({ state: 'stale', leases: ['a', 'b'] });
    expect(judgeRenewals(seen, { nowMs: 16_000, settleMs })).toEqual({ state: 'stale', leases: ['b'] });
  });

  test('after all Leases have been fresh for the settle time', () => {
    const seen = recordAll([0, { a: '1', b: '1' }], [3_000, { a: '2', b: '1' }], [8_000, { a: '2', b: '2' }]);
    expect(judgeRenewals(seen, { nowMs: 17_000, settleMs })).toEqual({ state: 'settling', remainingMs: 1_000 });
    expect(judgeRenewals(seen, { nowMs: 18_000, settleMs })).toEqual({ state: 'done' });
  });

  test('not while one of them is paused, and a settle time after it goes on', () => {
    const before = recordAll([0, { a: '1' }], [1_000, { a: '2' }]);
    expect(judgeRenewals(before, { nowMs: 1_001 + freshMs, settleMs: 60_000 })).toEqual({ state: 'stale', leases: ['a'] });
    const after = recordRenewals(before, [lease('a', '3')], 40_000);
    expect(judgeRenewals(after, { nowMs: 45_000, settleMs })).toEqual({ state: 'settling', remainingMs: 5_000 });
    expect(judgeRenewals(after, { nowMs: 50_000, settleMs })).toEqual({ state: 'done' });
  });

  test('also those that start meanwhile', () => {
    const seen = recordAll([0, { a: '1' }], [9_000, { a: '2' }], [9_500, { a: '2', b: '1' }]);
    expect(judgeRenewals(seen, { nowMs: 19_200, settleMs })).toEqual({ state: 'settling', remainingMs: 300 });
  });

  test('without those whose Lease is deleted', () => {
    const seen = recordAll([0, { a: '1', gone: '1' }], [1_000, { a: '2', gone: '1' }], [2_000, { a: '2' }]);
    expect(judgeRenewals(seen, { nowMs: 11_000, settleMs })).toEqual({ state: 'done' });
  });

  test('whatever their clocks say', () => {
    const seen = recordAll([0, { a: '2030-01-01' }], [1_000, { a: '1999-01-01' }]);
    expect(judgeRenewals(seen, { nowMs: 11_000, settleMs })).toEqual({ state: 'done' });
  });
});
