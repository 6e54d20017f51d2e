import packaged from '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json' with { type: 'json' };
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import { expect, test } from 'vitest';
import type { ApiDiagnosis, Diagnosis } from '../../../src/diagnosis/types.ts';
import { diagnosisSarif, failedSarif } from '../../../src/report/sarif.ts';
import { broken, healthy, hostile, inFiles, notAllowed, placed, recorded, several, twoFaults } from './diagnoses.ts';

/**
 * The OASIS schema. It names an older dialect of JSON Schema, but uses nothing that the newer one
 * lacks.
 */
const { id: _, $schema: __, ...schema } = packaged;

// One of its patterns has a stray bracket, which is invalid in a regular expression with the u
// flag.
const ajv = new Ajv({ strict: false, unicodeRegExp: false, allErrors: true });
formats.default(ajv);
const validate = ajv.compile(schema);

const faults = (log: unknown): unknown => (validate(log) ? [] : validate.errors);
const logOf = (diagnosis: Diagnosis) => JSON.parse(diagnosisSarif(diagnosis));
const runOf = (diagnosis: Diagnosis) => logOf(diagnosis).runs[0];

test('the schema finds faults', () => {
  expect(faults({ version: '2.1.0', runs: [{ tool: {} }] })).not.toEqual([]);
  expect(faults({ ...logOf(broken), runs: [{ ...runOf(broken), results: [{ level: 'bad' }] }] })).not.toEqual([]);
});

test.each(Object.entries({ ...recorded, several, placed, file: inFiles('a b/%.yaml'), files: inFiles('a.yaml', 'C:\\b.yaml') }))(
  '%s is valid',
  (_, diagnosis) => {
    expect(faults(logOf(diagnosis))).toEqual([]);
  },
);

test('a run that failed is valid', () => {
  const log = failedSarif({ command: 'lint', message: 'no APIService in a', fix: 'Pass files.', at: '2026-06-15T12:00:00.000Z' });
  expect(faults(JSON.parse(log))).toEqual([]);
});

test.each(Object.entries(recorded))('the results of %s', async (name, diagnosis) => {
  const { results, invocations } = runOf(diagnosis);
  await expect(`${JSON.stringify({ results, invocations }, undefined, 2)}\n`).toMatchFileSnapshot(`snapshots/${name}.sarif`);
});

test('every result refers to its rule, with the text of the catalog', () => {
  const { results, tool } = runOf(several);
  for (const { ruleId, ruleIndex } of results) expect(tool.driver.rules[ruleIndex].id).toBe(ruleId);
  expect(results.map(({ level }: { level: string }) => level)).toEqual(['error', 'error', 'warning', 'error']);
  expect(tool.driver.rules[0]).toMatchObject({ id: 'cert/unknown-authority', defaultConfiguration: { level: 'error' } });
  expect(tool.driver.rules[0].help.markdown).toContain('`apisvc explain cert/unknown-authority`');
});

test('each API of a cluster has its results, also where another one has the same finding', () => {
  const [api] = twoFaults.apis;
  const findings = api?.findings.map((finding) => ({ ...finding, sameAs: api.name })) ?? [];
  const both: Diagnosis = { ...twoFaults, apis: [...twoFaults.apis, { ...(api as ApiDiagnosis), name: 'v2.example.com', findings }] };
  expect(runOf(both).results).toHaveLength(2 * runOf(twoFaults).results.length);
});

test('a healthy run has no results and succeeded; one without access did not succeed', () => {
  expect(runOf(healthy)).toMatchObject({ results: [], tool: { driver: { rules: [] } }, invocations: [{ executionSuccessful: true }] });
  expect(runOf(notAllowed).invocations[0]).toMatchObject({
    executionSuccessful: false,
    toolExecutionNotifications: [{ level: 'error', message: { text: 'not enough access to decide' } }, { level: 'note' }, {}],
  });
});

test('fingerprints are unique in a run, and stable when dates, addresses and the order of APIs change', () => {
  const prints = (diagnosis: Diagnosis): string[] =>
    runOf(diagnosis).results.map(({ partialFingerprints }: { partialFingerprints: object }) => JSON.stringify(partialFingerprints));
  expect(new Set(prints(several)).size).toBe(4);
  expect(new Set(prints(hostile)).size).toBe(2);
  const later = {
    ...several,
    takenAt: '2026-07-01T00:00:00.000Z',
    apis: several.apis
      .toReversed()
      .map((api) => ({ ...api, findings: api.findings.map((each) => ({ ...each, title: 'other', evidence: [] })) })),
  };
  expect(prints(later).sort()).toEqual(prints(several).sort());
});

test('findings of lint have one file as location, or several as related locations', () => {
  const [result] = runOf(inFiles('a b/%.yaml')).results;
  expect(result.locations[0].physicalLocation.artifactLocation.uri).toBe('a%20b/%25.yaml');
  const [either] = runOf(inFiles('a.yaml', 'b\\c.yaml')).results;
  expect(either.locations[0].physicalLocation).toBeUndefined();
  expect(either.relatedLocations.map(({ physicalLocation }: { physicalLocation: object }) => physicalLocation)).toEqual([
    { artifactLocation: { uri: 'a.yaml' } },
    { artifactLocation: { uri: 'b/c.yaml' } },
  ]);
  expect(runOf(twoFaults).results[0].relatedLocations).toBeUndefined();
});

test('a finding with places has a physical location with a region, which GitHub code scanning needs', () => {
  const [unread, first, ...others] = runOf(placed).results;
  expect(others).toEqual([]);
  expect(first.locations[0].physicalLocation).toEqual({
    artifactLocation: { uri: 'a%20b.yaml' },
    region: { startLine: 12, startColumn: 3 },
  });
  expect(first.relatedLocations).toEqual([{ physicalLocation: { artifactLocation: { uri: 'c.yaml' }, region: { startLine: 4 } } }]);
  expect(unread.locations[0].physicalLocation).toEqual({ artifactLocation: { uri: 'file:///tmp/d.yaml' }, region: { startLine: 1 } });
});

test('text from a cluster does not become a link', () => {
  for (const { message } of runOf(hostile).results) expect(message.text).toContain('[x] (javascript:1)');
  for (const { message } of runOf(hostile).results) expect(message.text).not.toContain('](');
});
