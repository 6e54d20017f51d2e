import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import { makeCa, pem } from '../harness/certificates.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { codesOf, emptyFolder } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { handMade } from '../harness/registrations.ts';
import { compare } from './expect-findings.ts';

/** Registrations that kube-apiserver refuses. lint finds the same fault in the file. */

const ca = pem(await makeCa('refused CA'));

interface Refused {
  readonly name: string;
  readonly how: string;
  readonly code: Code;
  /** Replaces fields of a valid spec. */
  readonly spec: object;
  /** Replaces fields of the object. */
  readonly object?: object;
  /** A part of the error of kube-apiserver, or of kubectl. */
  readonly message: string;
}

const refused: readonly Refused[] = [
  {
    name: 'name-mismatch',
    how: 'the name of the APIService does not match its group and version',
    code: 'registration/name-mismatch',
    spec: { group: 'elsewhere.example.com' },
    message: 'metadata.name: Invalid value: "v1.name-mismatch.example.com": must be `spec.version+"."+spec.group`',
  },
  {
    name: 'insecure-with-bundle',
    how: 'the APIService has both insecureSkipTLSVerify and a caBundle',
    code: 'registration/insecure-with-bundle',
    spec: { insecureSkipTLSVerify: true },
    message: 'spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
  },
  {
    name: 'priority-out-of-range',
    how: 'groupPriorityMinimum is 20001',
    code: 'registration/priority-out-of-range',
    spec: { groupPriorityMinimum: 20_001 },
    message: 'spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000',
  },
  {
    name: 'service-incomplete',
    how: 'spec.service does not contain the name of the Service',
    code: 'registration/service-incomplete',
    spec: { service: { namespace: 'refused' } },
    message: 'spec.service.name: Required value',
  },
  {
    name: 'local-with-trust',
    how: 'the APIService has a caBundle, but no spec.service',
    code: 'registration/local-with-trust',
    spec: { service: undefined },
    message: 'local APIServices may not have a caBundle',
  },
  {
    name: 'removed-version',
    how: 'the apiVersion of the APIService is apiregistration.k8s.io/v1beta1',
    code: 'registration/api-version',
    spec: {},
    object: { apiVersion: 'apiregistration.k8s.io/v1beta1' },
    message: 'no matches for kind "APIService" in version "apiregistration.k8s.io/v1beta1"',
  },
  {
    name: 'name-missing',
    how: 'the APIService has no name',
    code: 'registration/name-missing',
    spec: {},
    object: { metadata: {} },
    message: 'metadata.name: Required value: name or generateName is required',
  },
  {
    name: 'group-missing',
    how: 'the APIService has no spec.group',
    code: 'registration/incomplete',
    spec: { group: undefined },
    message: 'metadata.name: Invalid value: "v1.group-missing.example.com": must be `spec.version+"."+spec.group`: "v1."',
  },
  {
    name: 'unknown-field',
    how: 'the APIService has the field insecureSkipTlsVerify instead of insecureSkipTLSVerify',
    code: 'registration/unknown-field',
    spec: { insecureSkipTlsVerify: true },
    message: 'strict decoding error: unknown field "spec.insecureSkipTlsVerify"',
  },
  {
    name: 'wrong-type',
    how: 'versionPriority is the string "15"',
    code: 'registration/wrong-type',
    spec: { versionPriority: '15' },
    message: 'cannot unmarshal string into Go struct field APIServiceSpec.spec.versionPriority of type int32',
  },
  {
    name: 'bundle-not-base64',
    how: 'the base64 of the caBundle contains spaces',
    code: 'bundle/not-encoded',
    spec: { caBundle: 'YWJj YWJj' },
    message: 'illegal base64 data at input byte 4',
  },
  {
    name: 'bundle-placeholder',
    how: 'the caBundle is still a placeholder',
    code: 'bundle/placeholder',
    spec: { caBundle: '<base64-encoded CA>' },
    message: 'illegal base64 data at input byte 0',
  },
];

test.each(refused)('$name: $code', async ({ name, how, code, spec, object, message }) => {
  const { apiService } = handMade({ namespace: 'refused', service: name, port: 1, ca, apiServiceSpec: spec });
  const text = JSON.stringify({ ...apiService, ...object });
  const { exitCode, stderr } = await kubectl(['create', '-f', '-'], { input: text });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(message) });

  const file = join(emptyFolder(), 'apiservice.json');
  writeFileSync(file, text);
  const linted = await apisvc(['lint', file, '-o', 'json']);
  const codes = codesOf(JSON.parse(linted.stdout)) as Code[];
  expect({ exitCode: linted.exitCode, codes }).toEqual({ exitCode: 1, codes: [code] });
  compare({ fault: name, how, kubernetes: cluster.cell.kubernetes, codes, condition: 'none', refused: message });
});
