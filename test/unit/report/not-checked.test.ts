import { expect, test } from 'vitest';
import type { NotChecked } from '../../../src/diagnosis/types.ts';
import { diagnosisHtml } from '../../../src/report/html.ts';
import { diagnosisText } from '../../../src/report/text.ts';
import { colorless } from './colors.ts';
import { healthy } from './diagnoses.ts';

const rule = 'Grant this RBAC rule: Role in namespace wardle: {resources: [pods/portforward], verbs: [get]}';
const notChecked: readonly NotChecked[] = [
  { what: 'the pods', why: 'timed out' },
  { what: 'the certificates', why: `not allowed to port-forward to api-0. ${rule}` },
  { what: 'an anonymous request', why: `not allowed to port-forward to api-1. ${rule}` },
  { what: 'the Secret', why: 'timed out' },
];
const diagnosis = { ...healthy, apis: healthy.apis.map((api) => ({ ...api, notChecked })) };

test.each([
  ['text', diagnosisText(diagnosis, colorless)],
  ['html', diagnosisHtml(diagnosis)],
])('%s says the same reason and the same RBAC rule once', (_, report) => {
  expect(report.split('timed out')).toHaveLength(2);
  expect(report.split('pods/portforward')).toHaveLength(2);
  expect(report).toContain('the pods, the Secret');
  expect(report).toContain('the certificates, an anonymous request');
});
