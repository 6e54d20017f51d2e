import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { ApiDiagnosis, Diagnosis, DiagnosisList, Overview } from '../../../src/diagnosis/types.ts';
import { mergedDiagnosis } from '../../../src/report/clusters.ts';
import { diagnosisGithub } from '../../../src/report/github.ts';
import { diagnosisHtml } from '../../../src/report/html.ts';
import { diagnosisJson, listJson } from '../../../src/report/json.ts';
import { diagnosisJunit } from '../../../src/report/junit.ts';
import { diagnosisSarif } from '../../../src/report/sarif.ts';
import { diagnosisShort, listShort } from '../../../src/report/short.ts';
import { diagnosisText, listText } from '../../../src/report/text.ts';
import { diagnosisWide, listWide } from '../../../src/report/wide.ts';
import { diagnosisYaml } from '../../../src/report/yaml.ts';
import { healthy, snapshotOf } from '../diagnosis/snapshots.ts';
import { colored, colorless, escapes } from './colors.ts';

/** Several APIs at once. The findings do not matter here. */

const base = diagnose(snapshotOf(healthy));
const overview: Overview = {
  service: 'a/api:443',
  available: 'True',
  endpoints: { ready: 2, total: 3 },
  expires: '2026-07-15T00:00:00.000Z',
};
const none: Overview = { service: undefined, available: undefined, endpoints: undefined, expires: undefined };
const api = (name: string, change: Partial<ApiDiagnosis> = {}): ApiDiagnosis => ({
  name,
  verdict: 'healthy',
  overview,
  findings: [],
  notChecked: [],
  facts: [],
  path: [],
  ...change,
});
const finding = {
  code: 'service/missing',
  severity: 'error',
  title: 'Service a/b does not exist',
  evidence: [],
  cause: 'It is not there.',
  fix: '`kubectl -n a get services`; then correct spec.service',
  link: 'docs/findings.md#servicemissing',
  explains: [],
} as const;

const many: Diagnosis = {
  ...base,
  takenAt: '2026-06-15T00:00:00.000Z',
  verdict: 'broken',
  apis: [
    api('v1.broken', { verdict: 'broken', findings: [finding] }),
    api('v1.apps', { overview: { ...none, available: 'True' } }),
    api('v1.batch', { overview: { ...none, available: 'True' } }),
    api('v1beta1.fine.example.com'),
    api('v1.ok'),
    api('v1.dark', { verdict: 'unknown', overview: none, notChecked: [{ what: 'the APIService', why: 'forbidden\u001b[2J' }] }),
  ],
};
const list: DiagnosisList = {
  apiVersion: 'apisvc.dev/diagnosis-list/v1alpha1',
  verdict: 'broken',
  clusters: [
    { context: 'staging', diagnosis: many },
    { context: 'dead\u009b', error: 'connection refused' },
  ],
};

test('text: one line for each healthy API, the rest in full, the count last', () => {
  expect(diagnosisText(many, colorless)).toBe(`✓ 2 APIs without a Service
✓ v1beta1.fine.example.com  a/api:443
✓ v1.ok                     a/api:443

? v1.dark: not enough access to decide

  not checked
    the APIService: forbidden\\x1b[2J

✗ v1.broken: broken

  error service/missing: Service a/b does not exist
    cause:    It is not there.
    fix:      kubectl -n a get services
              then correct spec.service

6 APIs: 4 healthy, 1 broken, 1 unknown
`);
});

test('text and short: files pass; they are not healthy', () => {
  const files = { ...many, source: { kind: 'files', files: ['a'] } as const, apis: [api('v1.a'), api('v1.b')] };
  expect(diagnosisText(files, colorless)).toMatch(/\n2 APIs: 2 passed\n$/);
  expect(diagnosisShort(files, colorless)).toBe('✓ v1.a passes\n✓ v1.b passes\n');
});

test('wide: a table', () => {
  expect(diagnosisWide(many, colorless)).toBe(
    `NAME                       SERVICE     AVAILABLE   VERDICT   ENDPOINTS   EXPIRES            FINDINGS
v1.broken                  a/api:443   True        broken    2/3         2026-07-15 (30d)   service/missing
v1.apps                    -           True        healthy   -           -                  -
v1.batch                   -           True        healthy   -           -                  -
v1beta1.fine.example.com   a/api:443   True        healthy   2/3         2026-07-15 (30d)   -
v1.ok                      a/api:443   True        healthy   2/3         2026-07-15 (30d)   -
v1.dark                    -           -           unknown   -           -                  (1 not checked)
`,
  );
});

test('wide: an expired certificate', () => {
  const expired = { ...many, apis: [api('v1.a', { overview: { ...overview, expires: '2026-06-14T23:00:00.000Z' } })] };
  expect(diagnosisWide(expired, colorless)).toContain('   2026-06-14 (expired)   ');
});

test('short: one line for each API', () => {
  const lines = diagnosisShort(many, colorless).trimEnd().split('\n');
  expect(lines).toHaveLength(6);
  expect([lines[0], lines[5]]).toEqual(['✗ v1.broken broken service/missing', '? v1.dark unknown (1 not checked)']);
});

describe('several clusters', () => {
  test('JSON: what is written piece by piece is the list', () => {
    const pieces = list.clusters.map((each, index) => listJson.cluster(each, index === 0));
    expect(JSON.parse([...pieces, listJson.end(list.verdict)].join(''))).toEqual(list);
  });

  test('formats with a section for each API: the context before the name, and a section for one that failed', () => {
    const merged = mergedDiagnosis(list, '');
    expect(merged).toMatchObject({ takenAt: many.takenAt, failure: 'context dead\u009b', source: { context: 'staging, dead\u009b' } });
    const junit = diagnosisJunit(merged);
    expect(junit).toContain('<testsuite name="staging/v1.broken"');
    expect(junit).toContain('name="verdict" time="0"><error message="connection refused" type="unknown"/>');
    const { annotations, summary } = diagnosisGithub(merged);
    expect(annotations).toContain('::connection refused');
    expect(summary).toContain('staging/v1.broken');
    const [run] = JSON.parse(diagnosisSarif(merged)).runs;
    expect(run.invocations[0].executionSuccessful).toBe(false);
    expect(run.results[0].locations[0].logicalLocations[0].name).toBe('staging/v1.broken');
    expect(diagnosisHtml(merged)).toContain('staging/v1.broken');
  });

  test('text: each under its context', () => {
    const text = listText(list, colorless);
    expect(text).toMatch(/^context staging \(https:\/\/127\.0\.0\.1:6443\)\n\n✓ 2 APIs/);
    expect(text).toMatch(/\ncontext dead\\x9b\n\n\? unknown: connection refused\n\nfailed: context dead\\x9b\n$/);
  });

  test('wide: one table with a column for the context', () => {
    const lines = listWide(list, colorless).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^CONTEXT {3,}NAME /);
    expect(lines.at(-1)).toMatch(/^dead\\x9b +- +- +- +unknown +- +- +connection refused$/);
  });

  test('short: the context before the name', () => {
    expect(listShort(list, colorless)).toContain('✓ staging/v1.ok healthy\n');
    expect(listShort(list, colorless)).toContain('? dead\\x9b unknown connection refused\n');
  });
});

test('colors do not change the text', () => {
  for (const report of [diagnosisText, diagnosisWide, diagnosisShort] as const) {
    const text = report(many, colored);
    expect(text).toContain('\u001b[31m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escapes that chalk writes.
    expect(text.replace(/\u001b\[\d+m/g, '')).toBe(report(many, colorless));
  }
});

test('control characters are escaped; in JSON and YAML, the escapes keep their value', () => {
  for (const text of [diagnosisJson(list), diagnosisYaml(list), listText(list, colorless), listWide(list, colorless)]) {
    expect(text).not.toMatch(escapes);
  }
  expect(JSON.parse(diagnosisJson(list))).toEqual(JSON.parse(JSON.stringify(list)));
  expect(parse(diagnosisYaml(list))).toEqual(JSON.parse(JSON.stringify(list)));
});
