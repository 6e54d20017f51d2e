import { describe, expect, test } from 'vitest';
import type { RotateResult, StepReport } from '../../../src/operations/rotation/request.ts';
import { type CertificateSet, certificateSet } from '../../../src/operations/rotation/rotation.ts';
import { anchorsIn } from '../../../src/pki/anchors.ts';
import { failedRotationJson, rotationJson, rotationText } from '../../../src/report/rotation.ts';
import { servingCertificate } from '../cluster/listening.ts';
import { colorless } from './colors.ts';
import { healthy } from './diagnoses.ts';

async function newSet(): Promise<CertificateSet> {
  const { authority, leaf } = await servingCertificate();
  const set = certificateSet({ chain: leaf.certificates, key: leaf.key, anchors: anchorsIn(authority.certificates, 'next') });
  if (!set) throw new Error('no certificate');
  return set;
}

const [old, fresh] = [await newSet(), await newSet()];
const steps: readonly StepReport[] = [
  { id: 'secret', title: 'Writing Secret a/b', state: 'skipped' },
  { id: 'endpoints', title: 'Waiting', state: 'done' },
];
const rotated: RotateResult = { outcome: 'rotated', kind: 'leaf', direction: 'forward', steps, from: old, to: fresh };
const aborted: RotateResult = { outcome: 'aborted', kind: 'leaf', direction: 'back', steps, from: fresh, to: old };

describe('the certificates of a report', () => {
  test('have only a fingerprint where only the Lease knows them', () => {
    const from = { ...old, chain: '', presented: [], key: undefined };
    expect(rotationText({ ...rotated, from }, colorless, [])).toContain(`\n  old: SHA-256 ${old.leaf}\n`);
    expect(JSON.parse(rotationJson({ ...rotated, from })).from.certificate).toEqual({ sha256: old.leaf });
  });

  test('are old and new after a rotation', () => {
    expect(rotationText(rotated, colorless, [])).toMatch(new RegExp(`^  old: .*${old.leaf}.*\n  new: .*${fresh.leaf}`, 'm'));
    expect(JSON.parse(rotationJson(rotated))).toMatchObject({
      from: { certificate: { sha256: old.leaf } },
      to: { certificate: { sha256: fresh.leaf } },
      steps,
    });
  });

  test('are those of the rollback after --abort', () => {
    const text = rotationText(aborted, colorless, []);
    expect(text).toMatch(new RegExp(`^Rolled back the serving certificate\\.\n  from: .*${fresh.leaf}.*\n  to: .*${old.leaf}`, 'm'));
    expect(text).not.toMatch(/^ {2}(old|new): /m);
    const report = JSON.parse(rotationJson(aborted));
    expect(report).toMatchObject({ restored: { certificate: { sha256: old.leaf } }, withdrawn: { certificate: { sha256: fresh.leaf } } });
    expect(Object.keys(report)).not.toContain('from');
    expect(Object.keys(report)).not.toContain('to');
  });
});

test('the plan of --abort says that it rolls back', () => {
  expect(rotationText({ ...aborted, outcome: 'planned' }, colorless, [])).toMatch(
    /^Plan to roll back the serving certificate; nothing was changed:\n/,
  );
});

test('a rotation that is not due says until when both certificates are valid', () => {
  const notDue: RotateResult = { ...rotated, outcome: 'not-due', to: old };
  const leaf = `${old.presented[0]?.notAfter.slice(0, 19)}Z`;
  expect(rotationText(notDue, colorless, [])).toBe(`The serving certificate is valid until ${leaf}. Nothing changed.\n`);
  expect(rotationText({ ...notDue, kind: 'ca' }, colorless, [])).toBe(
    `The serving certificate is valid until ${leaf}, and the CA until ${old.anchors[0]?.notAfter.slice(0, 19)}Z. Nothing changed.\n`,
  );
});

test('what the user may not check is one line, and other gaps stay where they are', () => {
  const forbidden = (resource: string) => `forbidden. Grant this RBAC rule: {resources: [${resource}], verbs: [list]}`;
  const notChecked = [
    { what: 'the flunders', why: forbidden('flunders') },
    { what: 'the log', why: 'timed out' },
    { what: 'the CustomResourceDefinitions', why: forbidden('customresourcedefinitions') },
  ];
  const diagnosis = { ...healthy, apis: healthy.apis.map((api) => ({ ...api, notChecked })) };
  const text = rotationText({ ...rotated, diagnosis }, colorless, ['--context=prod']);
  const last = `not checked, because this user lacks permissions that rotate does not need: the flunders, the CustomResourceDefinitions. To check: apisvc verify --context=prod ${healthy.apis[0]?.name}`;
  expect(text).toMatch(/\n {2}not checked\n {4}the log: timed out\n\nnot checked, because [^\n]*\n$/);
  expect(text.trimEnd().split('\n').at(-1)).toBe(last);
  expect(JSON.parse(rotationJson({ ...rotated, diagnosis })).diagnosis.apis[0].notChecked).toEqual(notChecked);
  const unknown = { ...diagnosis, apis: diagnosis.apis.map((api) => ({ ...api, verdict: 'unknown' as const })) };
  expect(rotationText({ ...rotated, diagnosis: unknown }, colorless, [])).toContain('Grant this RBAC rule: {resources: [flunders]');
});

test('a failed run is reported with its error, and the state of each step', () => {
  const report = { kind: 'leaf', steps } as const;
  expect(JSON.parse(failedRotationJson(report, 'interrupted', { message: 'interrupted', fix: 'Again.' }))).toEqual({
    apiVersion: 'apisvc.dev/rotation/v1alpha1',
    outcome: 'interrupted',
    kind: 'leaf',
    steps,
    error: { message: 'interrupted', fix: 'Again.' },
  });
});
