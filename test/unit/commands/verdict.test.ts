import { describe, expect, test } from 'vitest';
import { exitCodeOf, listExitCode } from '../../../src/commands/verdict.ts';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { DiagnoseOptions, Diagnosis, Verdict } from '../../../src/diagnosis/types.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { answers, healthy, api as registration, seen, snapshotOf, unseen } from '../diagnosis/snapshots.ts';

const snapshots: Readonly<Record<Verdict, Partial<ApiSnapshot>>> = {
  healthy: {},
  broken: { aggregated: answers(404, '') },
  unknown: { aggregated: unseen(), probes: unseen() },
};
const of = (verdicts: readonly Verdict[], options: DiagnoseOptions = {}): Diagnosis =>
  diagnose(snapshotOf(...verdicts.map((verdict) => ({ ...healthy, ...snapshots[verdict] }))), options);

describe('the exit code of', () => {
  test.each([
    [['healthy'], 0, 0],
    [['healthy', 'broken'], 1, 1],
    [['unknown', 'broken'], 1, 1],
    [['unknown'], 3, 3],
    [['unknown', 'unknown'], 3, 3],
    [['healthy', 'unknown'], 0, 3],
  ] as const)('%j is %i, with --strict %i', (verdicts, code, strict) => {
    expect(of(verdicts).apis.map(({ verdict }) => verdict)).toEqual(verdicts);
    expect([exitCodeOf(of(verdicts)), exitCodeOf(of(verdicts, { strict: true }))]).toEqual([code, strict]);
  });

  test('several clusters is that of a broken one, else that of one that could not be checked', () => {
    const list = (...clusters: Parameters<typeof listExitCode>[0]['clusters'][number][]) => ({
      apiVersion: 'apisvc.dev/diagnosis-list/v1alpha1' as const,
      verdict: 'unknown' as const,
      clusters,
    });
    const [good, bad, dead] = [
      { context: 'a', diagnosis: of(['healthy']) },
      { context: 'b', diagnosis: of(['broken']) },
      { context: 'c', error: 'connection refused' },
    ];
    const slow = { context: 'd', error: 'timed out', exitCode: 124 };
    expect([listExitCode(list(slow, good)), listExitCode(list(slow, dead)), listExitCode(list(slow, bad))]).toEqual([124, 3, 1]);
    expect([listExitCode(list(good, good)), listExitCode(list(dead, good)), listExitCode(list(dead, bad, good))]).toEqual([0, 3, 1]);
  });
});

describe('--fail-if-expires-within', () => {
  const options = { failIfExpiresSoon: true };
  const hidden = { ...healthy, name: 'v1.hidden', probes: unseen() };
  const local = { ...hidden, name: 'v1.local', apiService: seen({ ...registration, service: undefined, caBundle: '' }) };

  test('the expiry of a certificate that was not seen is unknown; an API without a Service has no certificate', () => {
    const diagnosis = diagnose(snapshotOf(healthy, hidden, local), options);
    expect(diagnosis.apis.map(({ verdict }) => verdict)).toEqual(['healthy', 'unknown', 'healthy']);
    expect(diagnosis.failure).toBe('certificates whose expiry is not known in 1 of 3 APIs (--fail-if-expires-within)');
    expect(exitCodeOf(diagnosis)).toBe(3);
    expect(exitCodeOf(diagnose(snapshotOf(healthy, hidden, local)))).toBe(0);
  });
});
