import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepare } from '../../../../src/operations/rotate/prepare.ts';
import { readNextSet } from '../../../../src/operations/rotation/sets.ts';
import { writeNext } from '../../../../src/project/generations.ts';
import { projectFiles } from '../../../../src/project/project.ts';
import { pathsOfSets } from '../../../../src/project/sets.ts';
import { clusterOf } from '../../cluster/kube-api.ts';
import { now } from '../../pki/certificates.ts';
import { project, registration } from '../../project/sample.ts';
import { issued, rotateRequest } from '../rotation/fixture.ts';
import { rejection } from '../waiting.ts';

test('a certificate that is damaged is not called lost, and is not restored', async () => {
  const dir = project();
  const { certificate } = projectFiles(dir);
  writeFileSync(certificate, 'damaged');
  const cluster = await clusterOf(({ url }) => expect.fail(`${url} is not needed`));
  const request = { ...rotateRequest(dir), now: () => now, renewLease: async () => {} };
  expect(await rejection(prepare(cluster, request, { journal: undefined }))).toMatchObject({
    message: `${certificate}: no certificate found`,
    fix: 'Restore the file from another copy of the project.',
  });
});

test('the way back knows the certificates in certs/next, also without their key', () => {
  const dir = project();
  writeNext(dir, { issued });
  const next = readNextSet(dir, registration, false);
  rmSync(join(pathsOfSets(dir).next, 'tls.key'));
  expect(() => readNextSet(dir, registration, false)).toThrow('is not a complete set of certificates');
  expect(readNextSet(dir, registration, true)).toEqual({ ...next, key: undefined });
  rmSync(join(pathsOfSets(dir).next, 'ca.crt'));
  expect(readNextSet(dir, registration, true)).toBeUndefined();
});
