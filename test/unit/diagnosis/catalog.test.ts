import { describe, expect, test } from 'vitest';
import { type Code, catalog, entryOf, fill, linkOf, matchesCode } from '../../../src/diagnosis/catalog.ts';
import type { Finding } from '../../../src/diagnosis/types.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { everything, faults } from './faults.ts';
import { answers, codes, diagnosed, healthy, seen } from './snapshots.ts';

const cases = Object.entries(faults) as [Code, Partial<ApiSnapshot>][];

test.each([
  ['with the rights of a reader', healthy],
  ['with every right', everything],
])('a healthy API has no finding, seen %s', (_, snapshot) => {
  expect(diagnosed(snapshot)).toMatchObject({ verdict: 'healthy', findings: [], notChecked: [] });
});

describe('every code', () => {
  test.each(cases)('%s is found, alone, with all its words', (code, change) => {
    const diagnosis = diagnosed({ ...everything, ...change });
    expect(codes(diagnosis)).toEqual([code]);
    const [finding] = diagnosis.findings as [Finding];
    const words = [finding.title, finding.cause, finding.fix];
    for (const text of words) expect(text).not.toMatch(/\{[a-zA-Z]+\}|undefined|\bNaN\b|^$/);
    expect(finding).toMatchObject({ severity: entryOf(code).severity, link: linkOf(code) });
    expect(diagnosis.verdict).toBe(entryOf(code).severity === 'error' ? 'broken' : 'healthy');
    expect(healthy).not.toMatchObject(change);
  });
});

describe('commands of a fix', () => {
  const fixOf = (change: Partial<ApiSnapshot>, code: Code) =>
    diagnosed({ ...everything, ...change }).findings.find((each) => each.code === code)?.fix;

  test('take no words of a server for the name of a ServiceAccount', () => {
    const said =
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what a shell would run.
      'tokenreviews.authentication.k8s.io is forbidden: User \\"system:serviceaccount:a:$(touch${IFS}/tmp/pwned)\\" cannot create';
    const fix = fixOf({ aggregated: answers(403, `{"message":"${said}"}`) }, 'auth/delegator-missing');
    expect(fix).toMatch(/--serviceaccount=wardle:api`$/);
  });

  test('replace a Secret by one of its own type, with the entries that the server reads', () => {
    const value = { name: 's', type: 'Opaque', pods: [], certificates: [], keyMatches: undefined, otherKeys: [] };
    const entries = { certificate: 'apiserver.crt', key: 'apiserver.key' };
    expect(fixOf({ secret: seen({ ...value, entries }) }, 'cert/secret-unreadable')).toContain(
      'create secret generic s --type=Opaque --from-file=apiserver.crt=tls.crt --from-file=apiserver.key=tls.key ',
    );
    expect(fixOf({ secret: seen({ ...value, type: 'kubernetes.io/tls' }) }, 'cert/secret-unreadable')).toContain(
      'create secret generic s --type=kubernetes.io/tls --from-file=tls.crt=tls.crt --from-file=tls.key=tls.key ',
    );
  });
});

describe('the catalog', () => {
  test('codes are family/name, in lower case', () => {
    for (const code of Object.keys(catalog)) expect(code).toMatch(/^[a-z][a-z-]*\/[a-z][a-z-]*$/);
  });

  test('anchors of links are distinct', () => {
    const links = (Object.keys(catalog) as Code[]).map(linkOf);
    expect(new Set(links).size).toBe(links.length);
  });

  test('every pattern of explainedBy means at least one code', () => {
    const all = Object.keys(catalog) as Code[];
    for (const code of all)
      for (const pattern of entryOf(code).explainedBy ?? []) expect(all.some((other) => matchesCode(other, [pattern]))).toBe(true);
  });

  test('no explanation goes in circles', () => {
    const all = Object.keys(catalog) as Code[];
    const causes = (code: Code): Code[] => all.filter((other) => matchesCode(other, entryOf(code).explainedBy ?? []));
    const walk = (code: Code, path: readonly Code[]): void => {
      expect(path).not.toContain(code);
      for (const cause of causes(code)) walk(cause, [...path, code]);
    };
    for (const code of all) walk(code, []);
  });

  test('a family is matched as a whole, a code exactly', () => {
    expect(matchesCode('cert/expired', ['cert/*'])).toBe(true);
    expect(matchesCode('cert/expired', ['cert/expired'])).toBe(true);
    expect(matchesCode('cert/expired', ['cert/ca-expired', 'certificates/*', 'bundle/*'])).toBe(false);
  });
});

describe('fill', () => {
  test('puts in each word once, and never what a value says', () => {
    expect(fill('{a} and {b} and {a}', { a: '{b}', b: '$&' })).toBe('{b} and $& and {b}');
  });

  test('leaves JSON and jsonpath alone', () => {
    expect(fill('-p \'{"spec":{}}\' {.spec.selector}', {})).toBe('-p \'{"spec":{}}\' {.spec.selector}');
  });

  test('a word without a value is a defect', () => {
    expect(() => fill('{a}', {})).toThrow('no value for {a}');
  });
});
