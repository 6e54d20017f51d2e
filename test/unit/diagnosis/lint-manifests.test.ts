import { describe, expect, test } from 'vitest';
import type { manifestEntries } from '../../../src/diagnosis/catalog/manifest.ts';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import { locationText } from '../../../src/diagnosis/locations.ts';
import type { Diagnosis } from '../../../src/diagnosis/types.ts';
import { offlineSnapshot } from '../../../src/snapshot/offline/snapshot.ts';
import { apiService, findingsOf, fixtures, insecure, linesOf, linted, lintedText, only } from './linting.ts';
import { now } from './snapshots.ts';

/** Small manifests, each with a kind of fault that people publish. */

const cases: Readonly<Record<string, readonly string[]>> = {
  'good.yaml': [],
  'D01-v1beta1.yaml': ['error registration/api-version 1', 'warning security/insecure-skip-tls-verify 9'],
  'D04-typo-field.yaml': ['error registration/unknown-field 9'],
  'D05-yes.yaml': ['warning security/insecure-skip-tls-verify 9'],
  'D08-string-number.yaml': ['error registration/wrong-type 8', 'warning security/insecure-skip-tls-verify 9'],
  'D09-expired-bundle.yaml': ['error cert/ca-expired 9'],
  'E4-helm.yaml': ['error manifest/template 1'],
  'E5-cabundle-placeholder.yaml': ['error bundle/placeholder 9'],
  'E7-angle.yaml': ['error bundle/placeholder 9'],
  'G01-kustomize': ['error manifest/kustomization kustomization.yaml'],
  'G02-noname.yaml': ['error registration/name-missing 1', 'error bundle/empty 4'],
  'G04-raw-pem.yaml': ['error bundle/not-encoded 10'],
  'G05-folded.yaml': ['error bundle/not-encoded 10'],
  'H3-concat.json': ['warning security/insecure-skip-tls-verify 1'],
};

test.each(Object.entries(cases))('%s: %j', (name, lines) => {
  expect(linesOf(linted(name))).toEqual(lines);
});

test('an APIService of another API group is skipped, and said once', () => {
  const { apis, files } = linted('D02-other-group-kubesphere.yaml');
  expect(apis).toEqual([]);
  expect(files).toEqual({
    findings: [],
    notChecked: [
      {
        what: `APIService demo of extensions.kubesphere.io/v1alpha1 (${fixtures}/D02-other-group-kubesphere.yaml:1)`,
        why: 'skipped: group extensions.kubesphere.io is not apiregistration.k8s.io',
      },
    ],
  });
});

describe('texts', () => {
  test('an unknown field comes with the right spelling, and explains the missing trust', () => {
    const finding = only(linted('D04-typo-field.yaml'));
    expect(finding.fix).toBe(`In ${fixtures}/D04-typo-field.yaml:9, rename spec.insecureSkipTlsVerify to spec.insecureSkipTLSVerify.`);
    expect(finding.explains.map(({ code }) => code)).toEqual(['bundle/empty']);
  });

  test.each([
    ['D01-v1beta1.yaml', 'cause', 'removed in Kubernetes 1.22'],
    ['D08-string-number.yaml', 'title', 'must be a 32-bit integer, not the string "15"'],
    ['E4-helm.yaml', 'fix', '`helm template CHART | apisvc lint -`'],
    ['E5-cabundle-placeholder.yaml', 'title', 'is a placeholder: {{caBundle}}'],
    ['E7-angle.yaml', 'title', 'is a placeholder: <base64-encoded-CA>'],
    ['G01-kustomize', 'fix', `\`kubectl kustomize ${fixtures}/G01-kustomize | apisvc lint -\``],
    ['G02-noname.yaml', 'fix', 'Set metadata.name to v1.a.example.com in '],
    ['G04-raw-pem.yaml', 'cause', 'The value is PEM text, '],
    ['G05-folded.yaml', 'cause', 'The value contains spaces'],
  ] as const)('%s: the %s says "%s"', (name, part, words) => {
    expect(only(linted(name))[part]).toContain(words);
  });

  test('of a chart name its directory', () => {
    const { snapshot, place } = offlineSnapshot([{ file: 'charts/my chart/templates/a.yaml', text: '{{- if .Values.x }}\na: b\n' }], now);
    expect(only(diagnose(snapshot, { place })).fix).toContain("`helm template 'charts/my chart' | apisvc lint -`");
  });
});

test.each([
  ['group', 'v1.<group>'],
  ['version', '<version>.a.example.com'],
])('without a name and spec.%s, the name that is advised has a placeholder', (field, name) => {
  const text = apiService(insecure).replace('{name: v1.a.example.com}', '{}');
  const { fix } = only(lintedText(text.replace(new RegExp(`^  ${field}: .*\n`, 'm'), '')));
  expect(fix).toBe(`Set metadata.name to ${name} in a.yaml:3.`);
});

test('a Service without a namespace has no half name', () => {
  const findings = findingsOf(lintedText(apiService('').replace(', namespace: ns', '')));
  expect(findings.find(({ code }) => code === 'bundle/empty')?.cause).toContain('such as <service>.<namespace>.svc.');
});

test('an APIService that apisvc rendered gets its caBundle from apisvc register', () => {
  const rendered = apiService('').replace('v1.a.example.com}', 'v1.a.example.com, annotations: {apisvc.dev/registration: ns/api}}');
  const diagnosis = lintedText(rendered);
  expect(findingsOf(diagnosis)).toEqual([]);
  expect(diagnosis.apis[0]?.notChecked).toContainEqual({ what: 'the caBundle', why: 'it is empty; the register command writes it' });
  expect(linesOf(lintedText(apiService('')))).toEqual(['error bundle/empty 4']);
});

/** A manifest for every code that only files can have. */
const manifests: Readonly<Record<Exclude<keyof typeof manifestEntries, 'manifest/unreadable'>, string>> = {
  'manifest/syntax': 'a: [',
  'manifest/template': '{{- if .Values.x }}\na: b\n',
  'manifest/kustomization': '',
  'manifest/removed-version': `${apiService(insecure)}---\napiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: api}\n`,
  'manifest/workload-selector': `${apiService(insecure)}---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {selector: {matchLabels: {app: api}}, template: {spec: {containers: [{image: a}]}}}\n`,
  'registration/unknown-version': apiService(insecure).replaceAll('a.example.com', 'external.metrics.k8s.io'),
  'manifest/placeholder': apiService(insecure).replace('name: api', 'name: <SERVICE>'),
  'registration/built-in-group': apiService(insecure).replaceAll('a.example.com', 'coordination.k8s.io'),
  'registration/invalid-name': apiService(insecure).replaceAll('a.example.com', 'A.example.com'),
  'manifest/duplicate-key': apiService(`${insecure}  versionPriority: 20\n`),
  'manifest/duplicate-object': `${apiService(insecure)}---\n${apiService(insecure)}`,
  'manifest/incomplete': apiService(insecure),
  'registration/api-version': apiService(insecure).replace('/v1', '/v2'),
  'registration/name-missing': apiService(insecure).replace('{name: v1.a.example.com}', '{}'),
  'registration/incomplete': apiService(insecure).replace('  group: a.example.com\n', ''),
  'registration/unknown-field': apiService(insecure, 'extra: 1\n'),
  'registration/wrong-type': apiService(insecure).replace('15', '1.5'),
  'bundle/not-encoded': apiService('  caBundle: "%%%"\n'),
  'bundle/placeholder': apiService('  caBundle: $CA_BUNDLE\n'),
};

test.each(Object.entries(manifests).filter(([, text]) => text !== ''))('%s has every placeholder of its texts filled in', (code, text) => {
  const found = findingsOf(lintedText(text, { strict: code === 'manifest/incomplete' })).filter((each) => each.code === code);
  expect(found).toHaveLength(1);
  for (const each of [found[0]?.title, found[0]?.cause, found[0]?.fix]) expect(each).not.toMatch(/\{[a-z]\w*\}|undefined|^$/i);
  expect(found[0]?.locations).toEqual([{ file: 'a.yaml', line: expect.any(Number), ...(code === 'manifest/syntax' ? { column: 4 } : {}) }]);
});

test('an APIService with a namespace, which kube-apiserver ignores, has lines', () => {
  const text = apiService(insecure).replace('v1.a.example.com}', 'v1.a.example.com, namespace: ns}');
  expect(linesOf(lintedText(text))).toEqual(['warning security/insecure-skip-tls-verify 10']);
});

test.each([
  ['metadata that is a list', '{name: v1.a.example.com}', '[v1.a.example.com]'],
  ['a name that is a list', '{name: v1.a.example.com}', '{name: [v1.a.example.com]}'],
  ['a name that is a number', '{name: v1.a.example.com}', '{name: 1}'],
  ['a port with a name', 'namespace: ns}', 'namespace: ns, port: https}'],
  ['a priority that is no 32-bit integer', '15', '3000000000'],
  ['a priority with a fraction', '15', '1.5'],
])('%s has one finding', (_, given, wrong) => {
  const service = '---\napiVersion: v1\nkind: Service\nmetadata: {name: api, namespace: ns}\nspec: {ports: [{port: 443}]}\n';
  const codes = findingsOf(lintedText(apiService(insecure).replace(given, wrong) + service)).map(({ code }) => code);
  expect(codes).toEqual(['registration/wrong-type', 'security/insecure-skip-tls-verify']);
});

describe('objects of removed versions', () => {
  const role = (name: string, version: string): string =>
    `---\napiVersion: rbac.authorization.k8s.io/${version}\nkind: ClusterRole\nmetadata: {name: ${name}}\nrules: []\n`;

  test('are one finding a version, which names them', () => {
    const diagnosis = lintedText([apiService(insecure), role('a', 'v1beta1'), role('b', 'v1'), role('c', 'v1beta1')].join(''));
    expect(linesOf(diagnosis)).toEqual(['error manifest/removed-version 12', 'warning security/insecure-skip-tls-verify 10']);
    expect(only(diagnosis).evidence).toEqual(['ClusterRole a (a.yaml:12), ClusterRole c (a.yaml:22)']);
    expect(only(diagnosis).cause).toMatch(
      /^Kubernetes 1\.22 removed the kinds of these objects from rbac\.authorization\.k8s\.io\/v1beta1\. /,
    );
  });

  test('are no finding without an APIService, or of another kind', () => {
    expect(linesOf(lintedText(role('a', 'v1beta1')))).toEqual([]);
    expect(linesOf(lintedText(`${apiService(insecure)}---\napiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\n`))).toEqual(
      ['warning security/insecure-skip-tls-verify 10'],
    );
  });
});

test.each([
  ['group', 'a.example.com', 'a_b.example.com', 5],
  ['version', 'v1', '1v', 6],
])('a %s that is no DNS name is an error', (_, given, invalid, line) => {
  const text = apiService(insecure).replaceAll(new RegExp(`(name: |group: |version: )(v1\\.)?${given}\\b`, 'g'), (all) =>
    all.replace(given, invalid),
  );
  expect(linesOf(lintedText(text))).toEqual([`error registration/invalid-name ${line}`, 'warning security/insecure-skip-tls-verify 10']);
});

describe('several documents', () => {
  test('one that cannot be read does not hide the others', () => {
    const diagnosis = lintedText(`a: [\n---\n${apiService(insecure)}`);
    expect(linesOf(diagnosis)).toEqual(['error manifest/syntax 1', 'warning security/insecure-skip-tls-verify 12']);
    expect(diagnosis.verdict).toBe('broken');
  });

  test('the same finding of several versions of one server is reported once, with both places', () => {
    const other = apiService(insecure).replaceAll('v1', 'v2').replace('k8s.io/v2', 'k8s.io/v1');
    const [first, second] = findingsOf(lintedText(`${apiService(insecure)}---\n${other}`));
    expect(first?.locations?.map(locationText)).toEqual(['a.yaml:10', 'a.yaml:21']);
    expect(first?.sameAs).toBeUndefined();
    expect(second).toMatchObject({ code: 'security/insecure-skip-tls-verify', sameAs: 'v1.a.example.com' });
  });

  test('the same finding of several servers is reported for each', () => {
    const other = apiService(insecure).replaceAll('a.example.com', 'b.example.com').replace('name: api', 'name: other');
    expect(findingsOf(lintedText(`${apiService(insecure)}---\n${other}`)).map(({ sameAs }) => sameAs)).toEqual([undefined, undefined]);
  });
});

describe('what fails', () => {
  test('warnings are errors on request, in the verdict too', () => {
    const diagnosis = lintedText(apiService(insecure), { warningsAreErrors: true });
    expect(linesOf(diagnosis)).toEqual(['error security/insecure-skip-tls-verify 10']);
    expect(diagnosis.verdict).toBe('broken');
  });

  test('with strict, what the files lack is an error that lists it', () => {
    const finding = findingsOf(lintedText(apiService(insecure), { strict: true })).find(({ code }) => code === 'manifest/incomplete');
    expect(finding).toMatchObject({ severity: 'error', evidence: expect.arrayContaining([expect.stringContaining('the Service: ')]) });
  });
});

describe('the fix for a project', () => {
  const project = { directory: 'demo', issuer: 'self-signed' } as const;
  const fixOf = (diagnosis: Diagnosis, code: Code): string | undefined =>
    findingsOf(diagnosis).find((finding) => finding.code === code)?.fix;
  const withBundle = (text: string): Diagnosis =>
    lintedText(apiService(`  caBundle: ${Buffer.from(text).toString('base64')}\n`), { project });

  const newKeys = 'Otherwise, create a new CA and a new serving certificate: `apisvc init demo --force-keys`';
  const rotate = 'If the API is registered, replace the CA while the API keeps serving: `apisvc rotate -C demo --ca`.';

  test('rotates where the API is registered, and creates new certificates where it is not', () => {
    expect(fixOf(linted('D09-expired-bundle.yaml', { project }), 'cert/ca-expired')).toBe(`${rotate} ${newKeys}`);
  });

  test('says that a private key is compromised', () => {
    const diagnosis = withBundle('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
    expect(fixOf(diagnosis, 'bundle/private-key')).toBe(`The private key is compromised. ${rotate} ${newKeys}`);
  });

  test('is that of other files where new certificates do not help', () => {
    expect(fixOf(withBundle('no PEM'), 'bundle/unparsable')).toContain('Set spec.caBundle in a.yaml:');
  });
});
