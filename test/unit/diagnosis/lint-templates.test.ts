import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import { locationText } from '../../../src/diagnosis/locations.ts';
import { offlineSnapshot } from '../../../src/snapshot/offline/snapshot.ts';
import { apiService, findingsOf, insecure, linesOf, lintedText, only } from './linting.ts';
import { now } from './snapshots.ts';

/** Manifests that a tool has not filled in yet. */

describe('templates', () => {
  test.each([
    ['a value of ytt', 'metadata: {}\nspec:\n  group: #@ data.values.group\n', 'error manifest/template 5'],
    ['a statement of ytt', '#@ if data.values.enabled:\nmetadata: {name: v1.a}\n#@ end\n', 'error manifest/template 3'],
  ])('%s: nothing else is reported', (_, text, line) => {
    const diagnosis = lintedText(`apiVersion: apiregistration.k8s.io/v1\nkind: APIService\n${text}`);
    expect(linesOf(diagnosis)).toEqual([line]);
    expect(only(diagnosis)).toMatchObject({ evidence: ['the file is a template (ytt) that was not rendered'] });
    expect(only(diagnosis).fix).toContain('`ytt -f . | apisvc lint -`');
  });

  test('a comment that starts like ytt is no template', () => {
    expect(linesOf(lintedText(`#@author a person\n${apiService(insecure)}`))).toEqual(['warning security/insecure-skip-tls-verify 11']);
  });

  test('placeholders in several documents are one finding of the file', () => {
    const document = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{name}}\n';
    expect(linesOf(lintedText(`${document}---\n${document}`))).toEqual(['error manifest/template 4']);
  });
});

test('the templates of one directory are one finding', () => {
  const texts = ['config/a.yml', 'config/b.yml'].map((file) => ({ file, text: 'a: #@ data.values.a\n' }));
  const { snapshot, place } = offlineSnapshot(texts, now);
  const [finding, ...others] = findingsOf(diagnose(snapshot, { place }));
  expect(finding?.locations?.map(locationText)).toEqual(['config/a.yml:1', 'config/b.yml:1']);
  expect(others).toEqual([]);
});

test('the templates of one chart are one finding', () => {
  const text = '{{- if .Values.x }}\na: b\n';
  const files = ['c/templates/a.yaml', 'c/templates/b.yaml', 'd/templates/a.yaml'].map((file) => ({ file, text }));
  const { snapshot, place } = offlineSnapshot(files, now);
  const found = findingsOf(diagnose(snapshot, { place })).map(({ locations = [] }) => locations.map(locationText));
  expect(found).toEqual([['c/templates/a.yaml:1', 'c/templates/b.yaml:1'], ['d/templates/a.yaml:1']]);
});

test.each([
  ['group', 'group: a.example.com', `group: \${GROUP}`, 5, 'rejects'],
  ['namespace', 'namespace: ns', `namespace: '\${NAMESPACE}'`, 9, 'accepts'],
])('a placeholder as %s is an error', (_, given, placeholder, line, what) => {
  const diagnosis = lintedText(apiService(insecure).replace(given, placeholder));
  expect(linesOf(diagnosis)).toContain(`error manifest/placeholder ${line}`);
  expect(findingsOf(diagnosis).find(({ code }) => code === 'manifest/placeholder')?.cause).toContain(`kube-apiserver ${what} `);
});

test('a placeholder in capitals is a placeholder', () => {
  expect(linesOf(lintedText(apiService('  caBundle: SERVING_CERT_CA\n')))).toEqual(['error bundle/placeholder 10']);
});

test.each([
  '"{{ .Values.caBundle }}"',
  '{{caBundle}}',
  '\x24{CA_BUNDLE}',
  '\x24{CA_BUNDLE:-none}',
  '$CA_BUNDLE',
  '$(CA_BUNDLE)',
  '$(base64 -w 0 ca.crt)',
  'CA_BUNDLE',
  '<base64 of the CA>',
  '"[CA bundle]"',
  '"@caBundle@"',
  '__CA_BUNDLE__',
  'LS0tLS1CRUdJTi...',
  'REPLACE_ME',
  'changeme',
])('the caBundle %s is a placeholder', (value) => {
  expect(findingsOf(lintedText(apiService(`  caBundle: ${value}\n`))).map(({ code }) => code)).toEqual(['bundle/placeholder']);
});
