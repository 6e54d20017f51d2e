import { parse, type TestSuites } from 'junit2json';
import { expect, test } from 'vitest';
import { exitCodeOf } from '../../../src/commands/verdict.ts';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { DiagnoseOptions } from '../../../src/diagnosis/types.ts';
import { diagnosisGithub } from '../../../src/report/github.ts';
import { diagnosisHtml } from '../../../src/report/html.ts';
import { diagnosisJunit } from '../../../src/report/junit.ts';
import { diagnosisSarif } from '../../../src/report/sarif.ts';
import { diagnosisText } from '../../../src/report/text.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { answers, healthy, host, leafFor, seen, serves, snapshotOf, unseen } from '../diagnosis/snapshots.ts';
import { colorless } from './colors.ts';

/** The exit code and the report agree in every format. */

const soon = { ...healthy, probes: seen([serves(await leafFor([host], 20))]) };
const partly = { ...healthy, requestHeader: unseen() };
const hidden = { ...healthy, probes: unseen() };
const dark = { ...healthy, aggregated: unseen(), probes: unseen() };
const broken = { ...healthy, aggregated: answers(404, '') };

const expires = { failIfExpiresSoon: true };
const strict = { strict: true };

const cases: readonly (readonly [string, readonly ApiSnapshot[], DiagnoseOptions, number, string | undefined])[] = [
  ['a healthy API', [healthy], {}, 0, undefined],
  ['a broken API', [broken], {}, 1, 'errors in v1alpha1.wardle.example.com'],
  ['one of two is broken', [healthy, broken], {}, 1, 'errors in 1 of 2 APIs'],
  ['a certificate that expires soon', [soon], {}, 0, undefined],
  [
    'the same with --fail-if-expires-within',
    [soon],
    expires,
    1,
    'certificates that expire soon in v1alpha1.wardle.example.com (--fail-if-expires-within)',
  ],
  ['a certificate that was not seen', [hidden], {}, 0, undefined],
  [
    'the same with --fail-if-expires-within',
    [hidden, healthy],
    expires,
    3,
    'certificates whose expiry is not known in 1 of 2 APIs (--fail-if-expires-within)',
  ],
  ['a check that did not run', [partly], {}, 0, undefined],
  ['the same with --strict', [partly], strict, 3, 'checks that did not run in v1alpha1.wardle.example.com (--strict)'],
  ['the same beside a healthy API', [partly, healthy], strict, 3, 'checks that did not run in 1 of 2 APIs (--strict)'],
  ['no access', [dark], {}, 3, 'not enough access to decide'],
  ['no access to one of two APIs', [dark, healthy], {}, 0, undefined],
  ['no access to one, and another is broken', [dark, broken], {}, 1, 'errors in 1 of 2 APIs'],
];

test.each(cases)('%s', async (_, snapshots, options, exitCode, failure) => {
  const diagnosis = diagnose(snapshotOf(...snapshots), options);
  expect({ exitCode: exitCodeOf(diagnosis), failure: diagnosis.failure }).toEqual({ exitCode, failure });
  const fails = exitCode !== 0;

  expect(diagnosisText(diagnosis, colorless).trimEnd().split('\n').at(-1)).toMatch(fails ? `failed: ${failure}` : /^(?!failed)/);
  const { failures = 0, errors = 0 } = (await parse(diagnosisJunit(diagnosis))) as TestSuites;
  expect(failures > 0).toBe(exitCode === 1);
  expect(failures + errors > 0).toBe(fails);
  const [run] = JSON.parse(diagnosisSarif(diagnosis)).runs;
  expect(run.results.some(({ level }: { level: string }) => level === 'error')).toBe(exitCode === 1);
  expect(run.invocations[0].executionSuccessful).toBe(exitCode !== 3);
  const notified = run.invocations[0].toolExecutionNotifications.filter(({ level }: { level: string }) => level === 'error');
  expect(notified.map(({ message }: { message: { text: string } }) => message.text)).toEqual(exitCode === 3 ? [failure] : []);
  expect(diagnosisGithub(diagnosis).annotations.includes('::error ')).toBe(fails);
  expect(diagnosisHtml(diagnosis).includes('<strong>failed:</strong>')).toBe(fails);
});
