import { cpSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renew, startCertManager } from '../../harness/cert-manager.ts';
import { makeCa, pem } from '../../harness/certificates.ts';
import { apisvc } from '../../harness/commands.ts';
import { type IssuedProject, makeIssuedProject } from '../../harness/issued-project.ts';
import { codesOf, editConfiguration, emptyFolder, kubectlOk, verifyJson, waitForOutput } from '../../harness/projects.ts';
import { statesOf } from '../../harness/rotations.ts';
import { userKubeconfig } from '../../harness/users.ts';
import { expectFindings } from '../../laboratory/expect-findings.ts';

/**
 * A project whose certificate cert-manager issues, and whose caBundle its cainjector writes. Every
 * fault of what they do is a finding of verify.
 */

const name = 'issued';
const secret = `${name}-tls`;
const ca = `${name}-ca`;
const fromCertificate = 'cert-manager.io/inject-ca-from';
const fromSecret = 'cert-manager.io/inject-ca-from-secret';
let project: IssuedProject;

const expectFault = (fault: Parameters<typeof expectFindings>[0]) =>
  project.during(expectFindings(fault, project.apiService, { withinMs: 60_000 }));

beforeAll(async () => {
  project = await makeIssuedProject(name);
});

afterAll(() => project.remove());

describe('cert-manager', () => {
  test('gets its objects from render, which has no Secret and no caBundle', async () => {
    expect(readdirSync(project.dir)).not.toContain('certs');
    const { items } = JSON.parse((await project.run('render', '-o', 'json')).stdout);
    const named = items.map(
      ({ kind, metadata }: { readonly kind: string; readonly metadata: { readonly name: string } }) => `${kind} ${metadata.name}`,
    );
    expect(named.filter((each: string) => /Issuer|Certificate|Secret/.test(each))).toEqual([
      `Issuer ${name}-selfsigned`,
      `Certificate ${ca}`,
      `Issuer ${ca}`,
      `Certificate ${secret}`,
    ]);
    const { metadata, spec } = items.find(({ kind }: { readonly kind: string }) => kind === 'APIService');
    expect({ from: metadata.annotations[fromCertificate], caBundle: spec.caBundle }).toEqual({ from: `${name}/${secret}` });
  });

  test('issues the certificate and injects the caBundle during register', async () => {
    const { exitCode, stdout, stderr } = await project.run('register', '--timeout', '80s');
    expect({ exitCode, output: exitCode === 0 ? '' : stdout + stderr }).toEqual({ exitCode: 0, output: '' });
    const { leaf, ca, bundle } = await project.places();
    expect(bundle).toBe(ca);
    expect(leaf?.checkHost(`${name}.${name}.svc`, { subject: 'never' })).toBeDefined();
    const { metadata } = JSON.parse(await kubectlOk(['get', 'apiservice', project.apiService, '-o', 'json', '--show-managed-fields']));
    const fieldsV1 = { 'f:spec': { 'f:caBundle': {} } };
    expect(metadata.managedFields).toContainEqual(
      expect.objectContaining({ manager: 'cert-manager-cainjector', operation: 'Apply', fieldsV1 }),
    );
  });

  test('leaves nothing to change, and the registration is healthy', async () => {
    expect(await project.run('register')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
    const { exitCode, diagnosis } = await project.during(verifyJson(['-C', project.dir]));
    expect({ exitCode, apis: diagnosis.apis }).toMatchObject({ exitCode: 0, apis: [{ findings: [], notChecked: [] }] });
    const status = await project.run('status', '-o', 'json');
    expect({ ...status, status: JSON.parse(status.stdout) }).toMatchObject({
      exitCode: 0,
      status: { verdict: 'same', findings: [], issuer: { type: 'cert-manager', secret: 'cert-manager', caBundle: 'cert-manager' } },
    });
  });
});

describe('rotate', () => {
  test('renews the certificate, and waits until every endpoint serves it', async () => {
    const before = await project.places();
    expect(await project.rotated('--if-expires-within', '1d')).toMatchObject({ outcome: 'not-due' });
    const plan = await project.rotated('--dry-run');
    expect(statesOf(plan)).toEqual({ renew: 'pending', endpoints: 'pending', verify: 'pending' });
    const caPlan = await project.rotated('--dry-run', '--ca');
    expect(Object.keys(statesOf(caPlan)).join()).toBe('renew-ca,trust-both,uptake,renew,endpoints,soak,trust-new,verify');
    expect(await project.places()).toEqual(before);

    const report = await project.rotated('--if-expires-within', '400d', '--nudge');
    const { leaf, ca, bundle } = await project.places();
    expect(report).toMatchObject({
      outcome: 'rotated',
      from: { certificate: { sha256: before.leaf?.fingerprint256 } },
      to: { certificate: { sha256: leaf?.fingerprint256 } },
      diagnosis: { verdict: 'healthy', apis: [{ findings: [] }] },
    });
    expect(statesOf(report)).toEqual({ renew: 'done', endpoints: 'done', verify: 'done' });
    expect({ ca, bundle }).toEqual({ ca: before.ca, bundle: before.bundle });
    expect(JSON.parse((await project.run('status', '-o', 'json')).stdout).verdict).toBe('same');
  });

  test('continues with the same issuance after Ctrl-C', async () => {
    const { revision } = (await project.get('certificate', secret)).status;
    await project.parts.controller.stop();
    const running = apisvc(['rotate', '-C', project.dir]);
    await waitForOutput(running, /no CertificateRequest yet; the cert-manager controller may not be running/);
    running.kill('SIGINT');
    expect(await running).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('Run the same command again to continue.') });
    expect(await kubectlOk(['get', 'leases', '-n', name, '-o', 'name'])).toBe('');
    const again = apisvc(['rotate', '-C', project.dir, '--nudge']);
    await waitForOutput(again, /note: cert-manager is already renewing the certificate/);
    project.parts.controller = startCertManager('controller');
    expect(await project.during(again)).toMatchObject({ exitCode: 0 });
    expect((await project.get('certificate', secret)).status.revision).toBe(revision + 1);
  });

  test('only waits for a certificate that is renewed already', async () => {
    const { revision } = (await project.get('certificate', secret)).status;
    const pod = await project.startPodWithOldCertificate();
    await project.during(renew(name, secret));
    const running = apisvc(['rotate', '-C', project.dir, '--timeout', '80s', '--nudge']);
    await project.during(waitForOutput(running, / yet, so the certificate is not renewed again/));
    await kubectlOk(['delete', 'pod', pod, '-n', name, '--now']);
    const { exitCode, stderr } = await project.during(running);
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect((await project.get('certificate', secret)).status.revision).toBe(revision + 1);
  });

  test('says why the certificate was not issued, and renews it when that is corrected', async () => {
    const before = await project.places();
    await project.signWithWrongKey();
    const { exitCode, stderr } = await project.run('rotate');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`error: cert-manager did not renew Certificate ${name}/${secret}: Failed: `);
    expect(stderr).toContain('Error signing certificate');
    expect(await project.places()).toEqual(before);
    const how = 'the private key of the CA does not match its certificate, so the renewal failed';
    await expectFault({ name: 'cert-manager-renewal-failed', how, codes: ['cert-manager/renewal-failed'] });
    await project.signWith(ca);
    await project.rotated('--nudge');
    expect((await project.places()).leaf?.fingerprint256).not.toBe(before.leaf?.fingerprint256);
  });

  test('refuses to write a Secret of others before it renews the CA', async () => {
    const { revision } = (await project.get('certificate', ca)).status;
    await kubectlOk(['create', 'secret', 'generic', `${secret}-both-cas`, '-n', name, '--from-literal=ca.crt=theirs']);
    expect(await project.run('rotate', '--ca')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        `error: Secret ${name}/${secret}-both-cas already exists, but does not belong to this project\nnothing in the cluster was changed\n`,
      ),
    });
    expect((await project.get('certificate', ca)).status.revision).toBe(revision);
    await kubectlOk(['delete', 'secret', `${secret}-both-cas`, '-n', name]);
  });

  test('removes the Secret that a killed rotation of the CA left, though nothing expires', async () => {
    const metadata = {
      ...{ name: `${secret}-both-cas`, namespace: name },
      labels: { 'app.kubernetes.io/managed-by': 'apisvc' },
      annotations: { 'apisvc.dev/registration': `${name}/${name}` },
    };
    const left = { apiVersion: 'v1', kind: 'Secret', metadata, data: { 'ca.crt': (await project.get('secret', ca)).data['tls.crt'] } };
    await kubectlOk(['apply', '--server-side', '--field-manager=apisvc', '-f', '-'], left);
    const before = await project.places();
    const report = await project.rotated('--if-expires-within', '1d');
    expect(report).toMatchObject({ outcome: 'rotated', kind: 'ca' });
    expect(statesOf(report)).toEqual({ renew: 'skipped', endpoints: 'skipped', 'trust-new': 'done', verify: 'done' });
    expect(await project.get('secret', `${secret}-both-cas`)).toBeUndefined();
    expect(await project.places()).toEqual(before);
  });

  test('names the permissions that are missing, with a command', async () => {
    const env = { KUBECONFIG: await userKubeconfig('cert-manager-nobody') };
    const { exitCode, stderr } = await project.during(apisvc(['rotate', '-C', project.dir], { env }));
    expect(exitCode).toBe(3);
    expect(stderr).toContain('get certificates.cert-manager.io; patch certificates/status.cert-manager.io');
    expect(stderr).toContain('kubectl auth reconcile');
  });
});

describe('verify', () => {
  test('says what a user may not read of cert-manager', async () => {
    const env = { KUBECONFIG: await userKubeconfig('cert-manager-looker') };
    await kubectlOk(['create', 'clusterrole', 'cert-manager-look', '--verb=get', '--resource=apiservices']);
    await kubectlOk(['create', 'clusterrolebinding', 'cert-manager-look', '--clusterrole=cert-manager-look', '--user=cert-manager-looker']);
    const { diagnosis } = await project.during(verifyJson([project.apiService], { env }));
    expect(codesOf(diagnosis)).toEqual([]);
    expect(diagnosis.apis[0]?.notChecked).toContainEqual({
      what: 'the cert-manager Certificate',
      why: expect.stringContaining(`resources: [certificates], resourceNames: ["${secret}"], verbs: [get]`),
    });
  });

  test('finds an annotation that names no Certificate', async () => {
    await project.annotate(`${fromCertificate}=${name}/nope`);
    const how = 'cert-manager.io/inject-ca-from names a Certificate that does not exist';
    await expectFault({ name: 'cert-manager-no-source', how, codes: ['cert-manager/source-not-found'] });
    await project.annotate(`${fromCertificate}=${name}/${secret}`);
    await project.expectSame();
  });

  test('finds a Secret that the cainjector may not read', async () => {
    await project.annotate(`${fromCertificate}-`, `${fromSecret}=${name}/${ca}`);
    const how = 'the Secret in cert-manager.io/inject-ca-from-secret does not have the annotation cert-manager.io/allow-direct-injection';
    await expectFault({ name: 'cert-manager-not-allowed', how, codes: ['cert-manager/secret-not-allowed'] });
    await project.annotate(`${fromSecret}-`, `${fromCertificate}=${name}/${secret}`);
    await project.expectSame();
  });

  test('finds a Certificate that is not ready, and says why', async () => {
    await project.patchCertificate({ issuerRef: { name: 'nope' } });
    const how = 'the Certificate names an Issuer that does not exist';
    const { findings } = await expectFault({ name: 'cert-manager-not-ready', how, codes: ['cert-manager/not-ready'] });
    expect(findings[0]?.cause).toBe('cert-manager reports: Referenced "Issuer" not found: issuer.cert-manager.io "nope" not found');
    await project.patchCertificate({ issuerRef: { name: ca } });
    await project.expectSame();
  });

  test('finds an Issuer that was deleted, and register restores it', async () => {
    await kubectlOk(['delete', 'issuer', ca, '-n', name]);
    const how = 'the Issuer was deleted after the Certificate became ready';
    const { findings } = await expectFault({ name: 'cert-manager-no-issuer', how, codes: ['cert-manager/issuer-not-ready'] });
    expect(findings[0]?.title).toContain(`Issuer ${ca} does not exist`);
    expect(await project.run('register')).toMatchObject({ exitCode: 0 });
  });

  test('finds a name that spec.dnsNames lacks, and register --force-conflicts corrects it', async () => {
    await project.patchCertificate({ dnsNames: ['other.example.com'] });
    const how = 'spec.dnsNames of the Certificate does not contain the name of the Service';
    await expectFault({ name: 'cert-manager-other-name', how, codes: ['cert-manager/name-missing'] });
    expect(await project.run('register', '--force-conflicts')).toMatchObject({ exitCode: 0 });
    await project.expectSame();
  });

  test('finds another Secret and another Service in apisvc.yaml', async () => {
    const expectDrift = async (fault: Parameters<typeof expectFindings>[0], edit: Parameters<typeof editConfiguration>[1]) => {
      const cwd = emptyFolder();
      cpSync(project.dir, cwd, { recursive: true });
      editConfiguration(cwd, edit);
      await project.during(expectFindings(fault, project.apiService, { cwd }));
      const { stdout } = await project.during(apisvc(['status', '-C', cwd, '-o', 'json']));
      expect(JSON.parse(stdout)).toMatchObject({ verdict: 'drift', failure: `drift: ${fault.codes}` });
    };
    const secretHow = 'spec.certificates.secretName in apisvc.yaml was changed after the API was registered';
    await expectDrift({ name: 'other-secret-in-project', how: secretHow, codes: ['cert/other-secret'] }, (document) =>
      document.setIn(['spec', 'certificates', 'secretName'], 'other-tls'),
    );
    const serviceHow = 'spec.service.name in apisvc.yaml was changed after the API was registered';
    await expectDrift({ name: 'other-service-in-project', how: serviceHow, codes: ['registration/other-service'] }, (document) =>
      document.setIn(['spec', 'service', 'name'], 'other'),
    );
  });

  test('finds a certificate that was not reissued after its CA changed', async () => {
    await project.during(renew(name, ca));
    const how = 'the CA of the Issuer was renewed, but the Certificate was not';
    await expectFault({ name: 'cert-manager-old-ca', how, codes: ['cert-manager/old-ca'] });
    await project.during(renew(name, secret));
    await project.expectSame();
    // The cainjector keeps the earlier CA.
    const { diagnosis } = await project.during(verifyJson([project.apiService]));
    expect(codesOf(diagnosis)).toEqual([]);
  });

  test('finds it also where the APIService names the Certificate of the CA', async () => {
    await project.annotate(`${fromCertificate}=${name}/${ca}`);
    await project.during(renew(name, ca));
    const how = 'the CA was renewed, but the Certificate was not, and cert-manager.io/inject-ca-from names the Certificate of the CA';
    await expectFault({ name: 'cert-manager-old-ca-injected', how, codes: ['cert-manager/old-ca'] });
    await project.during(renew(name, secret));
    await project.annotate(`${fromCertificate}=${name}/${secret}`);
    await project.expectSame();
  });

  test('finds a cainjector that does not run', async () => {
    await project.parts.injector.stop();
    const caBundle = Buffer.from(pem(await makeCa('another CA'))).toString('base64');
    await kubectlOk(['patch', 'apiservice', project.apiService, '--type=merge', '-p', JSON.stringify({ spec: { caBundle } })]);
    await kubectlOk(['wait', '--for=condition=Available=False', '--timeout=60s', `apiservice/${project.apiService}`]);
    const how = 'the caBundle was overwritten while the cainjector of cert-manager was not running';
    const fault = { name: 'cert-manager-not-injected', how, codes: ['cert-manager/not-injected'] } as const;
    const { findings } = await project.parts.controller.during(expectFindings(fault, project.apiService, { withinMs: 60_000 }));
    expect(findings[0]?.cause).toBe('The cainjector is not running: its Lease is no longer renewed.');
    project.parts.injector = startCertManager('cainjector');
    await project.expectSame();
  });
});
