import { parse, type TestSuites } from 'junit2json';
import { describe, expect, test } from 'vitest';
import { diagnosisJunit } from '../../../src/report/junit.ts';
import { escapes } from './colors.ts';
import { broken, healthy, hostile, notAllowed, recorded, several, twoFaults } from './diagnoses.ts';

/** Parses a report with a JUnit reader. */
const read = async (...given: Parameters<typeof diagnosisJunit>): Promise<TestSuites> =>
  (await parse(diagnosisJunit(...given))) as TestSuites;

test.each(Object.entries(recorded))('%s', async (name, diagnosis) => {
  await expect(diagnosisJunit(diagnosis)).toMatchFileSnapshot(`snapshots/${name}.junit.xml`);
});

describe('a JUnit reader finds', () => {
  test('a passed test case for a healthy API', async () => {
    const { tests, failures, errors, testsuite } = await read(healthy);
    expect({ tests, failures, errors }).toEqual({ tests: 1, failures: 0, errors: 0 });
    expect(testsuite).toMatchObject([{ name: 'v1alpha1.wardle.example.com', timestamp: '2026-06-15T12:00:00', tests: 1 }]);
    expect(testsuite?.[0]?.testcase).toEqual([{ classname: 'v1alpha1.wardle.example.com', name: 'verdict', time: 0 }]);
  });

  test('a failure for an error, with the whole finding', async () => {
    const { testsuite } = await read(broken);
    const [failed, ...more] = testsuite?.[0]?.testcase ?? [];
    expect(more).toEqual([]);
    expect(failed).toMatchObject({ name: 'cert/unknown-authority', failure: [{ type: 'cert/unknown-authority' }] });
    expect(failed?.failure?.[0]?.inner).toContain(
      '\nfix: In an apisvc project, update the caBundle: `apisvc register --force-conflicts`. Otherwise, ',
    );
  });

  test('output, but no failure, for a warning', async () => {
    const { failures, testsuite } = await read(twoFaults);
    expect(failures).toBe(1);
    const warning = testsuite?.[0]?.testcase?.find(({ name }) => name === 'cert/expires-soon');
    expect(warning?.failure).toBeUndefined();
    expect(warning?.['system-out']?.[0]).toMatch(/^warning: The certificate .* expires on 2026-06-24\n/);
  });

  test('skipped test cases for what was not checked, and an error for an unknown verdict', async () => {
    const { errors, testsuite } = await read(notAllowed);
    expect(errors).toBe(1);
    expect(testsuite?.[0]).toMatchObject({ tests: 3, skipped: 2 });
    expect(testsuite?.[0]?.testcase?.[0]?.error).toMatchObject([{ message: 'not enough access to decide' }]);
  });

  test('a suite for each of several APIs, and counts that add up', async () => {
    const { tests, failures, errors, testsuite = [] } = await read(several);
    expect(testsuite).toHaveLength(5);
    const sum = (count: (suite: (typeof testsuite)[number]) => number | undefined): number =>
      testsuite.reduce((total, suite) => total + (count(suite) ?? 0), 0);
    expect([sum((suite) => suite.tests), sum((suite) => suite.failures), sum((suite) => suite.errors)]).toEqual([tests, failures, errors]);
    expect(sum((suite) => suite.testcase?.length)).toBe(tests);
  });

  test('hostile text as text, and several findings of one code', async () => {
    const { testsuite } = await read(hostile);
    expect(diagnosisJunit(hostile)).not.toMatch(escapes);
    expect(testsuite?.[0]?.name).toContain('</pre><script>alert(1)</script>]]>"');
    expect(testsuite?.[0]?.testcase?.map(({ name }) => name).slice(0, 2)).toEqual(['cert/expired', 'cert/expired (2)']);
  });
});
