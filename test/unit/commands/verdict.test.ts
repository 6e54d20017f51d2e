import { describe, expect, test } from 'vitest';
import { exitCodeOf, listExitCode, unknownExpiry } from '../../../src/commands/verdict.ts';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { Diagnosis, Verdict } from '../../../src/diagnosis/types.ts';
import { worstOf } from '../../../src/diagnosis/verdict.ts';
import { healthy, api as registration, seen, snapshotOf, unseen } from '../diagnosis/snapshots.ts';

const [api] = diagnose(snapshotOf(healthy)).apis;
const of = (...verdicts: Verdict[]): Diagnosis => ({
  ...diagnose(snapshotOf()),
  verdict: worstOf(verdicts),
  apis: verdicts.flatMap((verdict) => (api ? [{ ...api, verdict }] : [])),
});

describe('the exit code of', () => {
  test.each([
    [['healthy'], 0, 0],
    [['healthy', 'broken'], 1, 1],
    [['unknown', 'broken'], 1, 1],
    [['unknown'], 3, 3],
    [['unknown', 'unknown'], 3, 3],
    [['healthy', 'unknown'], 0, 3],
  ] as const)('%j is %i, with --strict %i', (verdicts, code, strict) => {
    expect([exitCodeOf(of(...verdicts)), exitCodeOf(of(...verdicts), true)]).toEqual([code, strict]);
  });

  test('several clusters is that of a broken one, else that of one that could not be checked', () => {
    const list = (...clusters: Parameters<typeof listExitCode>[0]['clusters'][number][]) => ({
      apiVersion: 'apisvc.dev/diagnosis-list/v1alpha1' as const,
      verdict: 'unknown' as const,
      clusters,
    });
    const [good, bad, dead] = [
      { context: 'a', diagnosis: of('healthy') },
      { context: 'b', diagnosis: of('broken') },
      { context: 'c', error: 'connection refused' },
    ];
    expect([
      listExitCode(list(good, good), false),
      listExitCode(list(dead, good), false),
      listExitCode(list(dead, bad, good), false),
    ]).toEqual([0, 3, 1]);
  });
});

test('the expiry of an unseen certificate is unknown; an API without a Service has no certificate', () => {
  const hidden = { ...healthy, name: 'v1.hidden', probes: unseen() };
  const local = { ...hidden, name: 'v1.local', apiService: seen({ ...registration, service: undefined }) };
  expect(unknownExpiry(diagnose(snapshotOf(healthy, hidden, local)))).toEqual(['v1.hidden']);
});
