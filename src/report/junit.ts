import { noVerdict } from '../diagnosis/failure.ts';
import type { ApiDiagnosis, Diagnosis, NotChecked } from '../diagnosis/types.ts';
import { type FailedRun, failedRunText } from './failed-run.ts';
import { findingText, type NumberedFinding, numberFindings } from './finding-text.ts';
import { lines, type Markup, markup } from './markup.ts';
import { type Section, sectionsOf } from './sections.ts';

/** JUnit counts every outcome but `passed`. */
type Outcome = 'passed' | 'failures' | 'errors' | 'skipped';

interface TestCase {
  readonly outcome: Outcome;
  readonly element: Markup;
}

/**
 * The diagnosis as a JUnit report, with a test suite for each API:
 * - An error is a failed test case with the code as its name; a warning is a passed one with
 *   output.
 * - A check that did not run is a skipped test case.
 * - An API without errors has a test case `verdict`. If the verdict is unknown, it is an error
 *   where this makes the command fail, and otherwise skipped.
 */
export function diagnosisJunit(diagnosis: Diagnosis): string {
  const { takenAt, failure } = diagnosis;
  const suites = sectionsOf(diagnosis).map((api) => ({ api, cases: casesOf(api, failure) }));
  return report(
    suites.flatMap(({ cases }) => cases),
    suites.map(({ api, cases }) => suite(api, cases, takenAt)),
  );
}

/** A command that ended with an error: one test suite with one test case, which is that error. */
export function failedJunit(run: FailedRun): string {
  const name = `apisvc ${run.command}`;
  const text = lines(failedRunText(run));
  const cases = [testCase('errors', name, 'run', markup`<error message="${run.message}" type="error">${text}</error>`)];
  return report(cases, [suite({ name, facts: [] }, cases, run.at)]);
}

const report = (all: readonly TestCase[], suites: readonly Markup[]): string =>
  markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="apisvc" ${counts(all)}>
${suites}</testsuites>
`.markup;

/** The common JUnit schema allows only a time without a zone. Readers take it as UTC. */
const suite = ({ name, facts }: Pick<ApiDiagnosis, 'name' | 'facts'>, cases: readonly TestCase[], takenAt: string): Markup =>
  markup`  <testsuite name="${name}" timestamp="${takenAt.slice(0, 19)}" ${counts(cases)}>
${cases.map(({ element }) => element)}    <system-out>${lines(facts)}</system-out>
  </testsuite>
`;

function counts(cases: readonly TestCase[]): Markup {
  const count = (wanted: Outcome): number => cases.filter(({ outcome }) => outcome === wanted).length;
  return markup`tests="${cases.length}" failures="${count('failures')}" errors="${count('errors')}" skipped="${count('skipped')}" time="0"`;
}

function casesOf(api: Section, failure: string | undefined): readonly TestCase[] {
  const { name, findings, notChecked } = api;
  const found = numberFindings(findings).map((each) => findingCase(name, each));
  const verdict = found.some(({ outcome }) => outcome === 'failures') ? [] : [verdictCase(api, failure)];
  return [...verdict, ...found, ...notChecked.map((each) => skippedCase(name, each))];
}

function verdictCase({ name, verdict, error = noVerdict }: Section, failure: string | undefined): TestCase {
  if (verdict === 'healthy') return testCase('passed', name, 'verdict', markup``);
  if (failure === undefined) return testCase('skipped', name, 'verdict', markup`<skipped message="${error}"/>`);
  return testCase('errors', name, 'verdict', markup`<error message="${error}" type="${verdict}"/>`);
}

function findingCase(name: string, { finding, number }: NumberedFinding): TestCase {
  const { code, severity, title } = finding;
  const label = number === 1 ? code : `${code} (${number})`;
  const text = lines([title, ...findingText(finding)]);
  return severity === 'error'
    ? testCase('failures', name, label, markup`<failure message="${title}" type="${code}">${text}</failure>`)
    : testCase('passed', name, label, markup`<system-out>warning: ${text}</system-out>`);
}

const skippedCase = (name: string, { what, why }: NotChecked): TestCase =>
  testCase('skipped', name, `not checked: ${what}`, markup`<skipped message="${why}"/>`);

const testCase = (outcome: Outcome, api: string, name: string, content: Markup): TestCase => ({
  outcome,
  element: markup`    <testcase classname="${api}" name="${name}" time="0">${content}</testcase>
`,
});
