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
  /** A part of the error of kube-apiserver. */
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
    how: 'both insecureSkipTLSVerify and a caBundle',
    code: 'registration/insecure-with-bundle',
    spec: { insecureSkipTLSVerify: true },
    message: 'spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
  },
  {
    name: 'priority-out-of-range',
    how: 'groupPriorityMinimum 20001',
    code: 'registration/priority-out-of-range',
    spec: { groupPriorityMinimum: 20_001 },
    message: 'spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000',
  },
  {
    name: 'service-incomplete',
    how: 'spec.service without the name of the Service',
    code: 'registration/service-incomplete',
    spec: { service: { namespace: 'refused' } },
    message: 'spec.service.name: Required value',
  },
  {
    name: 'local-with-trust',
    how: 'a caBundle without spec.service',
    code: 'registration/local-with-trust',
    spec: { service: undefined },
    message: 'local APIServices may not have a caBundle',
  },
];

test.each(refused)('$name: $code', async ({ name, how, code, spec, message }) => {
  const { apiService } = handMade({ namespace: 'refused', service: name, port: 1, ca, apiServiceSpec: spec });
  const text = JSON.stringify(apiService);
  const { exitCode, stderr } = await kubectl(['create', '-f', '-'], { input: text });
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining(message) });

  const file = join(emptyFolder(), 'apiservice.json');
  writeFileSync(file, text);
  const linted = await apisvc(['lint', file, '-o', 'json']);
  const codes = codesOf(JSON.parse(linted.stdout)) as Code[];
  expect({ exitCode: linted.exitCode, codes }).toEqual({ exitCode: 1, codes: [code] });
  compare({ fault: name, how, kubernetes: cluster.cell.kubernetes, codes, condition: 'none', refused: message });
});
