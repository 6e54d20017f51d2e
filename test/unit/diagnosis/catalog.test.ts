import { describe, expect, test } from 'vitest';
import { anyTransportFault } from '../../../src/diagnosis/catalog/symptoms.ts';
import { type Code, catalog, entryOf, fill, linkOf, matchesCode } from '../../../src/diagnosis/catalog.ts';
import type { Finding } from '../../../src/diagnosis/types.ts';
import type { ApiSnapshot } from '../../../src/snapshot/types.ts';
import { everything } from './everything.ts';
import { faults } from './faults.ts';
import { answers, codes, diagnosed, healthy, seen } from './snapshots.ts';

const cases = Object.entries(faults) as [Code, Partial<ApiSnapshot>][];

test.each([
  ['with read-only permissions', healthy],
  ['with all permissions', everything],
])('a healthy API has no findings, observed %s', (_, snapshot) => {
  expect(diagnosed(snapshot)).toMatchObject({ verdict: 'healthy', findings: [], notChecked: [] });
});

describe('every code', () => {
  test.each(cases)('%s has times without milliseconds', (_, change) => {
    const [finding] = diagnosed({ ...everything, ...change }).findings as [Finding];
    expect([finding.title, ...finding.evidence].join('\n')).not.toMatch(/(?:at|from|now:|machine:|apiserver:) \S+\.000Z/);
  });

  test.each(cases)('%s is the only finding, and all placeholders are filled in', (code, change) => {
    const diagnosis = diagnosed({ ...everything, ...change });
    expect(codes(diagnosis)).toEqual([code]);
    const [finding] = diagnosis.findings as [Finding];
    const texts = [finding.title, finding.cause, finding.fix];
    for (const text of texts) expect(text).not.toMatch(/\{[a-zA-Z]+\}|undefined|\bNaN\b|^$/);
    expect(finding).toMatchObject({ severity: entryOf(code).severity, link: linkOf(code) });
    expect(diagnosis.verdict).toBe(entryOf(code).severity === 'error' ? 'broken' : 'healthy');
    expect(healthy).not.toMatchObject(change);
  });
});

describe('the commands of a fix', () => {
  const fixOf = (change: Partial<ApiSnapshot>, code: Code) =>
    diagnosed({ ...everything, ...change }).findings.find((each) => each.code === code)?.fix;

  test('never contain a ServiceAccount name from a message of the server', () => {
    const said =
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell would run it.
      'tokenreviews.authentication.k8s.io is forbidden: User \\"system:serviceaccount:a:$(touch${IFS}/tmp/pwned)\\" cannot create';
    const fix = fixOf({ aggregated: answers(403, `{"message":"${said}"}`) }, 'auth/delegator-missing');
    expect(fix).toMatch(/--serviceaccount=wardle:api`$/);
  });

  test('replace a Secret with the same type, and with the entries that the server reads', () => {
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
  test('has codes of the form family/name, in lower case', () => {
    for (const code of Object.keys(catalog)) expect(code).toMatch(/^[a-z][a-z-]*\/[a-z][a-z-]*$/);
  });

  test('has a distinct link for each code', () => {
    const links = (Object.keys(catalog) as Code[]).map(linkOf);
    expect(new Set(links).size).toBe(links.length);
  });

  test('has at least one code for every pattern of explainedBy', () => {
    const all = Object.keys(catalog) as Code[];
    for (const code of all)
      for (const pattern of entryOf(code).explainedBy ?? []) expect(all.some((other) => matchesCode(other, [pattern]))).toBe(true);
  });

  test('has only families that are in anyTransportFault, or that need not be', () => {
    const families = new Set(Object.keys(catalog).map((code) => `${code.split('/')[0]}/*`));
    // kube-apiserver can get a response in spite of some of their faults, and has no manifests.
    const others = ['manifest/*', 'registration/*', 'security/*', 'auth/*', 'discovery/*', 'control-plane/*'];
    const transport = anyTransportFault.filter((pattern) => pattern.endsWith('/*'));
    expect([...families].sort()).toEqual([...transport, ...others].sort());
  });

  test('has no cycle of explanations', () => {
    const all = Object.keys(catalog) as Code[];
    const causes = (code: Code): Code[] => all.filter((other) => matchesCode(other, entryOf(code).explainedBy ?? []));
    const walk = (code: Code, path: readonly Code[]): void => {
      expect(path).not.toContain(code);
      for (const cause of causes(code)) walk(cause, [...path, code]);
    };
    for (const code of all) walk(code, []);
  });

  test('matches a family by prefix, and a code exactly', () => {
    expect(matchesCode('cert/expired', ['cert/*'])).toBe(true);
    expect(matchesCode('cert/expired', ['cert/expired'])).toBe(true);
    expect(matchesCode('cert/expired', ['cert/ca-expired', 'certificates/*', 'bundle/*'])).toBe(false);
  });
});

describe('fill', () => {
  test('does not expand placeholders in values', () => {
    expect(fill('{a} and {b} and {a}', { a: '{b}', b: '$&' })).toBe('{b} and $& and {b}');
  });

  test('leaves JSON and jsonpath alone', () => {
    expect(fill('-p \'{"spec":{}}\' {.spec.selector}', {})).toBe('-p \'{"spec":{}}\' {.spec.selector}');
  });

  test('throws for a placeholder without a value', () => {
    expect(() => fill('{a}', {})).toThrow('no value for {a}');
  });
});
