import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Document } from 'yaml';
import { projectFiles } from '../../../src/project/project.ts';
import { type AnyApiProject, anyApiProjectOfTest, closingWhenReady } from '../harness/any-api-project.ts';
import { makeCa, makeLeaf, pair, pem, validForDays } from '../harness/certificates.ts';
import { apisvc } from '../harness/commands.ts';
import { editConfiguration, emptyFolder, kubectlOk } from '../harness/projects.ts';
import { documentedRate, expectAgreement, expectNoFailure, rotateOk, underLoad } from '../harness/rotations.ts';
import { runSigner, signWith } from '../harness/signer.ts';

/** The issuer of a running registration is another one from now on, and no request fails. */

const setIssuer = ({ dir }: AnyApiProject, issuer: object, edit: (document: Document) => void = () => {}): void =>
  editConfiguration(dir, (document) => {
    document.setIn(['spec', 'certificates', 'issuer'], document.createNode(issuer));
    edit(document);
  });

const companyCa = () => makeCa('Company CA', validForDays(500));
const base64 = (text: string): string => Buffer.from(text).toString('base64');

interface Change {
  readonly project: AnyApiProject;
  readonly name: string;
  readonly issuer: object;
  /** The CA of the new issuer: PEM. */
  readonly ca: string;
  /** Of `rotate`. */
  readonly flags: readonly string[];
}

/** Changes the issuer under load. Only the new CA must be in use then, and no request may fail. */
async function expectRotation({ project, name, issuer, ca, flags }: Change): Promise<void> {
  const rotate = async () => {
    setIssuer(project, issuer);
    await rotateOk(project, ...flags, '--soak', '2s');
  };
  const report = await underLoad(project, rotate, documentedRate);
  expect(readFileSync(projectFiles(project.dir).caCertificate, 'utf8')).toBe(ca);
  await expectAgreement(project, name);
  expectNoFailure(report);
}

test('self-signed becomes ca by a rotation', async () => {
  const name = 'issuer-to-ca';
  const project = await anyApiProjectOfTest({ name, flags: ['--close-connections'] });
  const ca = await companyCa();
  const files = { cert: join(project.dir, 'company.crt'), key: join(project.dir, 'company.key') };
  writeFileSync(files.cert, pem(ca));
  writeFileSync(files.key, pair(ca).key, { mode: 0o600 });
  const flags = ['--ca-cert', files.cert, '--ca-key', files.key];
  await expectRotation({ project, name, issuer: { type: 'ca' }, ca: pem(ca), flags });
  const { stdout } = await rotateOk(project, ...flags, '--nudge');
  expect(stdout).toMatch(/^Rotated the serving certificate\.\n/);
  await expectAgreement(project, name);
});

test('self-signed becomes csr by a rotation', async () => {
  const name = 'issuer-to-csr';
  const project = await anyApiProjectOfTest({ name, flags: ['--close-connections'] });
  const ca = await companyCa();
  const signer = `${name}.example.com/serving`;
  writeFileSync(join(project.dir, 'signer.crt'), pem(ca));
  runSigner(signer, signWith(ca));
  const issuer = { type: 'csr', signerName: signer, caBundleFile: 'signer.crt' };
  await expectRotation({ project, name, issuer, ca: pem(ca), flags: [] });
});

test('self-signed becomes existing-secret by register, with another Secret', async () => {
  const name = 'issuer-to-secret';
  const project = await anyApiProjectOfTest({ name, flags: closingWhenReady });
  const ca = await companyCa();
  const { certificates, key } = pair(await makeLeaf(`${name}.${name}.svc`, ca));
  await kubectlOk(['create', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'company-tls', namespace: name },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(certificates), 'tls.key': base64(key), 'ca.crt': base64(pem(ca)) },
  });
  const report = await underLoad(
    project,
    async () => {
      setIssuer(project, { type: 'existing-secret' }, (document) => document.setIn(['spec', 'certificates', 'secretName'], 'company-tls'));
      const { exitCode, stderr } = await apisvc(['register', '-C', project.dir, '--timeout', '85s']);
      expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('to trust both CAs') });
    },
    documentedRate,
  );
  const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', project.apiService, '-o', 'json']));
  expect(spec.caBundle).toBe(base64(pem(ca)));
  // The restart of a pod closes its watches.
  expect({ failures: report.failures, retried: report.retried }).toEqual({ failures: 0, retried: [] });
});

test('a directory with nothing but apisvc.yaml rotates the CA whose key is in a Secret', async () => {
  const name = 'issuer-ca-secret';
  const project = await anyApiProjectOfTest({ name, flags: ['--close-connections'], init: ['--ca-key-in', 'secret'] });
  expect(existsSync(projectFiles(project.dir).caKey)).toBe(false);
  const pod = { ...project, dir: emptyFolder() };
  writeFileSync(projectFiles(pod.dir).configuration, readFileSync(projectFiles(project.dir).configuration));
  const report = await underLoad(pod, () => rotateOk(pod, '--ca', '--soak', '2s'), documentedRate);
  await expectAgreement(pod, name);
  expect(existsSync(projectFiles(pod.dir).caKey)).toBe(false);
  expectNoFailure(report);
});
