import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import { jsonSchemaTexts } from '../../../src/diagnosis/json-schema.ts';
import { UsageError } from '../../../src/errors.ts';
import { diagnosisJson, snapshotJson } from '../../../src/report/json.ts';
import { readSnapshot } from '../../../src/snapshot/recorded.ts';
import type { Snapshot } from '../../../src/snapshot/types.ts';
import { absent, answers, healthy, leafCertificate, seen, serves, snapshotOf, unseen } from './snapshots.ts';

const snapshot = snapshotOf(healthy, { ...healthy, apiService: absent }, { ...healthy, service: unseen(), aggregated: answers(503, 'no') });
const text = snapshotJson(snapshot);

// biome-ignore lint/suspicious/noExplicitAny: tests change any property.
type Json = any;
const changed = (change: (json: Json) => void): string => {
  const json = JSON.parse(text);
  change(json);
  return JSON.stringify(json);
};
const read = (given: string): Snapshot => readSnapshot('a.json', given);

describe('a saved snapshot', () => {
  test('is read unchanged, and has the same diagnosis', () => {
    expect(JSON.parse(JSON.stringify(read(text)))).toEqual(JSON.parse(text));
    expect(diagnosisJson(diagnose(read(text)))).toBe(diagnosisJson(diagnose(snapshot)));
  });

  test('may have unknown properties', () => {
    expect(read(changed((json) => (json.apis[0].more = 1)))).toEqual(read(text));
  });

  test('cannot contradict the PEM of a certificate', () => {
    const forged = snapshotOf({
      ...healthy,
      probes: seen([serves({ ...leafCertificate, notAfter: '2099-01-01T00:00:00.000Z', dnsNames: ['x'] })]),
    });
    expect(read(snapshotJson(forged))).toEqual(read(snapshotJson(snapshotOf(healthy))));
  });
});

describe('an invalid snapshot gives one line with the path of the error', () => {
  test.each([
    ['', 'a.json is not a snapshot: it is not JSON'],
    ['[1', 'a.json is not a snapshot: it is not JSON'],
    ['null', 'a.json is not a snapshot: expected object, received null'],
    ['{}', 'a.json is not a snapshot: apiVersion: expected "apisvc.dev/snapshot/v1alpha1"'],
    ['[]', 'a.json is not a snapshot: expected object, received array'],
    [diagnosisJson(diagnose(snapshot)), 'its apiVersion is "apisvc.dev/diagnosis/v1alpha1"'],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'a.json is not a snapshot: expected object, received array'],
    [changed((json) => delete json.apis[1].service), 'a.json is not a snapshot: apis[1].service: '],
    [changed((json) => (json.takenAt = '2026-99-99')), 'a.json is not a snapshot: takenAt: '],
    [
      changed((json) => (json.apis[0].aggregated.value.status = '200')),
      'apis[0].aggregated.value.status: expected number, received string',
    ],
    [
      changed((json) => (json.apis[0].probes.value[0].handshake.certificates[0].pem = 'x')),
      'certificates[0]: its pem holds no certificate',
    ],
    [changed((json) => (json.apis[0].apiService.value.labels = { '\u001b[2J': 1 })), 'apis[0].apiService.value.labels["\\u001b[2J"]: '],
  ])('%#', (given, message) => {
    const error = (() => {
      try {
        return read(given);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain('\n');
  });

  test('any value at any place gives a diagnosis or a UsageError', () => {
    const places = (value: Json): Json[] =>
      typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap((each) => places(each))] : [];
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.oneof(fc.jsonValue(), fc.constantFrom('', '\u001b', -1, 1e308, '__proto__')), (at, key, value) => {
        const given = changed((json) => {
          const all = places(json);
          const place = all[at % all.length];
          const keys = Object.keys(place);
          if (keys.length > 0) place[keys[key % keys.length] ?? ''] = value;
        });
        try {
          diagnose(read(given));
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('the shipped JSON Schemas', () => {
  const schemas = [...jsonSchemaTexts()];
  const validator = (wanted: string) => {
    const [, schema] = schemas.find(([name]) => name === wanted) ?? [];
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    return ajv.compile(JSON.parse(schema ?? 'false'));
  };
  const errorsOf = (name: string, json: string) => {
    const validate = validator(name);
    validate(JSON.parse(json));
    return validate.errors ?? [];
  };

  test('accept the output of verify, and reject other documents', () => {
    const diagnosis = diagnose(snapshot);
    const clusters = [
      { context: 'a', diagnosis },
      { context: 'b', error: 'c' },
    ];
    const list = { apiVersion: 'apisvc.dev/diagnosis-list/v1alpha1', verdict: 'broken', clusters } as const;
    expect(errorsOf('snapshot', text)).toEqual([]);
    expect(errorsOf('diagnosis', diagnosisJson(diagnosis))).toEqual([]);
    expect(errorsOf('diagnosis-list', diagnosisJson(list))).toEqual([]);
    expect(errorsOf('snapshot', diagnosisJson(diagnosis))).not.toEqual([]);
    expect(
      errorsOf(
        'diagnosis',
        changed((json) => delete json.apis),
      ),
    ).not.toEqual([]);
  });
});
