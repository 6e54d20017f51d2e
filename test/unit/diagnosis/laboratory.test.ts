import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { manifestEntries } from '../../../src/diagnosis/catalog/manifest.ts';
import { type Code, catalog } from '../../../src/diagnosis/catalog.ts';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import { withoutKeys } from '../../../src/pki/without-keys.ts';
import { snapshotJson } from '../../../src/report/json.ts';
import { readSnapshot } from '../../../src/snapshot/recorded.ts';
import { offline } from '../../cluster/laboratory/offline.ts';
import { laboratoryPage } from '../../cluster/laboratory/page.ts';
import { readRecordings } from '../../cluster/laboratory/recording.ts';

/** Diagnoses the snapshots that were recorded from real clusters. */

const versions = ['1.37', '1.35'] as const;
const recordings = { '1.37': readRecordings('1.37'), '1.35': readRecordings('1.35') };

describe.each(versions)('recorded on Kubernetes %s', (version) => {
  const withSnapshot = recordings[version].flatMap(({ fault, codes, snapshot }) => (snapshot ? [{ fault, codes, snapshot }] : []));

  test.each(withSnapshot)('$fault: $codes', ({ fault, codes, snapshot }) => {
    const found = diagnose(snapshot).apis.flatMap(({ findings }) => findings.map(({ code }) => code));
    expect(found).toEqual(codes);
    expect(readSnapshot(fault, JSON.stringify(snapshot))).toEqual(JSON.parse(snapshotJson(snapshot)));
    expect(snapshot).toMatchObject(
      JSON.parse(readFileSync(join('test', 'fixtures', 'laboratory', version, `${fault}.json`), 'utf8')).snapshot,
    );
    for (const { apiService } of snapshot.apis) {
      const bundle = Buffer.from(apiService.state === 'seen' ? apiService.value.caBundle : '', 'base64');
      expect(withoutKeys(bundle)).toEqual(bundle);
    }
    expect(JSON.stringify(snapshot)).not.toContain('PRIVATE KEY');
  });

  test('every code was found in a real cluster, or has a reason why not', () => {
    const found = new Set(recordings[version].flatMap(({ codes }) => codes));
    const missing = (Object.keys(catalog) as Code[]).filter(
      (code) => !found.has(code) && !(code in manifestEntries) && offline[code] === undefined,
    );
    expect(missing, 'no recording, and no reason in test/cluster/laboratory/offline.ts').toEqual([]);
  });
});

test('no reason is left for a code that was found on both versions', () => {
  const found = versions.map((version) => new Set(recordings[version].flatMap(({ codes }) => codes)));
  const needless = Object.keys(offline).filter((code) => found.every((each) => each.has(code as Code)));
  expect(needless).toEqual([]);
});

test('docs/laboratory.md is generated from the recordings (npm run docs)', () => {
  expect(readFileSync('docs/laboratory.md', 'utf8')).toBe(laboratoryPage(recordings));
});
