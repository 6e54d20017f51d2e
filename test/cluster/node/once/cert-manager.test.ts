import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyApiProject, makeAnyApiProject, removeAnyApiProject } from '../../harness/any-api-project.ts';
import { type CertManager, installCertManagerCrds, renew, startCertManager } from '../../harness/cert-manager.ts';
import { makeCa, pair, pem } from '../../harness/certificates.ts';
import { apisvc } from '../../harness/commands.ts';
import { codesOf, editConfiguration, emptyFolder, getObject, kubectlOk, verifyJson, waitForOutput } from '../../harness/projects.ts';
import { certificatesOf } from '../../harness/rotations.ts';
import { userKubeconfig } from '../../harness/users.ts';
import { expectFindings } from '../../laboratory/expect-findings.ts';

/**
 * A project whose certificate cert-manager 1.21.2 issues, and whose caBundle its cainjector writes.
 * Both run as components/cert-manager. Every fault of what they do is a finding of verify.
 */

const name = 'issued';
const secret = `${name}-tls`;
const ca = `${name}-ca`;
const fromCertificate = 'cert-manager.io/inject-ca-from';
const fromSecret = 'cert-manager.io/inject-ca-from-secret';
let project: AnyApiProject;
let controller: CertManager;
let injector: CertManager;

/** Waits for work of cert-manager, or for its end. */
const during = <T>(work: PromiseLike<T>): Promise<T> => controller.during(injector.during(work));

const run = (...args: readonly string[]) => during(apisvc([...args, '-C', project.dir]));

// biome-ignore lint/suspicious/noExplicitAny: an object as kubectl prints it.
const get = async (kind: string, of: string): Promise<any> => getObject(kind, of, '-n', name);

const decoded = (text: string): string => Buffer.from(text, 'base64').toString();

/** The certificate and the CA of the Secret, and the caBundle. */
async function places() {
  const { data } = await get('secret', secret);
  const { spec } = await get('apiservice', project.apiService);
  const [leaf] = certificatesOf(decoded(data['tls.crt']));
  return { leaf, ca: decoded(data['ca.crt']), bundle: decoded(spec.caBundle) };
}

/** Waits until every endpoint serves the certificate of the Secret, and a valid one. */
async function expectSame(): Promise<void> {
  // The kubelet takes a while to update the files, and the server to read them.
  const verdict = async () => JSON.parse((await run('status', '-o', 'json')).stdout).verdict;
  await during(expect.poll(verdict, { timeout: 60_000 }).toBe('same'));
}

const annotate = (...annotations: readonly string[]) =>
  kubectlOk(['annotate', '--overwrite', 'apiservice', project.apiService, ...annotations]);

const patchCertificate = (spec: object) =>
  kubectlOk(['patch', 'certificate', secret, '-n', name, '--type=merge', '-p', JSON.stringify({ spec })]);

const expectFault = (fault: Parameters<typeof expectFindings>[0]) =>
  during(expectFindings(fault, project.apiService, { withinMs: 60_000 }));

/**
 * Starts a pod of the Service that keeps the certificate of now, however fast the kubelet brings a
 * new one to the others. @returns its name
 */
async function startPodWithOldCertificate(): Promise<string> {
  const [pod, copy] = [`${name}-old`, `${secret}-old`];
  const { data } = await get('secret', secret);
  const { selector } = (await get('service', name)).spec;
  const { items } = JSON.parse(await kubectlOk(['get', 'pods', '-n', name, '-o', 'json']));
  const { nodeName: _, ...spec } = items[0].spec;
  // Only the labels of the Service, so that no ReplicaSet adopts the pod.
  const metadata = { name: pod, namespace: name, labels: selector };
  const mounting = JSON.parse(JSON.stringify(spec).replaceAll(`"secretName":"${secret}"`, `"secretName":"${copy}"`));
  await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Secret', metadata: { name: copy, namespace: name }, data });
  await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'Pod', metadata, spec: mounting });
  await during(kubectlOk(['wait', '--for=condition=Ready', '--timeout=60s', '-n', name, `pod/${pod}`]));
  return pod;
}

beforeAll(async () => {
  await installCertManagerCrds();
  controller = startCertManager('controller');
  injector = startCertManager('cainjector');
  project = await during(makeAnyApiProject({ name, replicas: 2, init: ['--issuer', 'cert-manager'] }));
});

afterAll(async () => {
  await removeAnyApiProject(project, name);
  await Promise.all([controller.stop(), injector.stop()]);
});

describe('cert-manager', () => {
  test('gets its objects from render, which has no Secret and no caBundle', async () => {
    expect(readdirSync(project.dir)).not.toContain('certs');
    const { items } = JSON.parse((await run('render', '-o', 'json')).stdout);
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
    const { exitCode, stdout, stderr } = await run('register', '--timeout', '80s');
    expect({ exitCode, output: exitCode === 0 ? '' : stdout + stderr }).toEqual({ exitCode: 0, output: '' });
    const { leaf, ca, bundle } = await places();
    expect(bundle).toBe(ca);
    expect(leaf?.checkHost(`${name}.${name}.svc`, { subject: 'never' })).toBeDefined();
    const { metadata } = JSON.parse(await kubectlOk(['get', 'apiservice', project.apiService, '-o', 'json', '--show-managed-fields']));
    const fieldsV1 = { 'f:spec': { 'f:caBundle': {} } };
    expect(metadata.managedFields).toContainEqual(
      expect.objectContaining({ manager: 'cert-manager-cainjector', operation: 'Apply', fieldsV1 }),
    );
  });

  test('leaves nothing to change, and the registration is healthy', async () => {
    expect(await run('register')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
    const { exitCode, diagnosis } = await during(verifyJson(['-C', project.dir]));
    expect({ exitCode, apis: diagnosis.apis }).toMatchObject({ exitCode: 0, apis: [{ findings: [], notChecked: [] }] });
    const status = await run('status', '-o', 'json');
    expect({ ...status, status: JSON.parse(status.stdout) }).toMatchObject({
      exitCode: 0,
      status: { verdict: 'same', findings: [], issuer: { type: 'cert-manager', secret: 'cert-manager', caBundle: 'cert-manager' } },
    });
  });
});

describe('rotate', () => {
  const rotated = async (...flags: readonly string[]) => {
    const { exitCode, stdout, stderr } = await run('rotate', '--timeout', '80s', '-o', 'json', ...flags);
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    return { report: JSON.parse(stdout), stderr };
  };
  const statesOf = ({ steps }: { readonly steps: readonly { readonly id: string; readonly state: string }[] }) =>
    Object.fromEntries(steps.map(({ id, state }) => [id, state]));

  test('renews the certificate, and waits until every endpoint serves it', async () => {
    const before = await places();
    expect((await rotated('--if-expires-within', '1d')).report).toMatchObject({ outcome: 'not-due' });
    const plan = await rotated('--dry-run');
    expect(statesOf(plan.report)).toEqual({ renew: 'pending', endpoints: 'pending', verify: 'pending' });
    const caPlan = await rotated('--dry-run', '--ca');
    expect(Object.keys(statesOf(caPlan.report)).join()).toBe('renew-ca,trust-both,uptake,renew,endpoints,soak,trust-new,verify');
    expect(await places()).toEqual(before);

    const { report } = await rotated('--if-expires-within', '400d', '--nudge');
    const { leaf, ca, bundle } = await places();
    expect(report).toMatchObject({
      outcome: 'rotated',
      from: { certificate: { sha256: before.leaf?.fingerprint256 } },
      to: { certificate: { sha256: leaf?.fingerprint256 } },
      diagnosis: { verdict: 'healthy', apis: [{ findings: [] }] },
    });
    expect(statesOf(report)).toEqual({ renew: 'done', endpoints: 'done', verify: 'done' });
    expect({ ca, bundle }).toEqual({ ca: before.ca, bundle: before.bundle });
    expect(JSON.parse((await run('status', '-o', 'json')).stdout).verdict).toBe('same');
  });

  test('continues with the same issuance after Ctrl-C', async () => {
    const { revision } = (await get('certificate', secret)).status;
    await controller.stop();
    const running = apisvc(['rotate', '-C', project.dir]);
    await waitForOutput(running, /no CertificateRequest yet; the controller of cert-manager may not be running/);
    running.kill('SIGINT');
    expect(await running).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('Run the same command again to continue.') });
    expect(await kubectlOk(['get', 'leases', '-n', name, '-o', 'name'])).toBe('');
    const again = apisvc(['rotate', '-C', project.dir, '--nudge']);
    await waitForOutput(again, /note: cert-manager is renewing the certificate already/);
    controller = startCertManager('controller');
    expect(await during(again)).toMatchObject({ exitCode: 0 });
    expect((await get('certificate', secret)).status.revision).toBe(revision + 1);
  });

  test('only waits for a certificate that is renewed already', async () => {
    const { revision } = (await get('certificate', secret)).status;
    const pod = await startPodWithOldCertificate();
    await during(renew(name, secret));
    const running = apisvc(['rotate', '-C', project.dir, '--timeout', '80s', '--nudge']);
    await during(waitForOutput(running, /; continuing with it/));
    await kubectlOk(['delete', 'pod', pod, '-n', name, '--now']);
    const { exitCode, stderr } = await during(running);
    expect({ exitCode, stderr: exitCode === 0 ? '' : stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect((await get('certificate', secret)).status.revision).toBe(revision + 1);
  });

  test('says why the certificate was not issued, and renews it when that is corrected', async () => {
    const before = await places();
    const { data } = await get('secret', ca);
    const other = Buffer.from(pair(await makeCa('another CA')).key).toString('base64');
    await kubectlOk(['create', '-f', '-'], {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'wrong-key', namespace: name },
      data: { 'tls.crt': data['tls.crt'], 'tls.key': other },
    });
    const signWith = async (secretName: string) => {
      await kubectlOk(['patch', 'issuer', ca, '-n', name, '--type=merge', '-p', JSON.stringify({ spec: { ca: { secretName } } })]);
      const isSeen = async () => {
        const { metadata, status } = await get('issuer', ca);
        return status.conditions[0].observedGeneration === metadata.generation;
      };
      await during(expect.poll(isSeen).toBe(true));
    };
    await signWith('wrong-key');
    const { exitCode, stderr } = await run('rotate');
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`error: cert-manager did not renew Certificate ${name}/${secret}: Failed: `);
    expect(stderr).toContain('Error signing certificate');
    expect(await places()).toEqual(before);
    const how = 'the key of the CA does not belong to its certificate, so that a renewal failed';
    await expectFault({ name: 'cert-manager-renewal-failed', how, codes: ['cert-manager/renewal-failed'] });
    await signWith(ca);
    await rotated('--nudge');
    expect((await places()).leaf?.fingerprint256).not.toBe(before.leaf?.fingerprint256);
  });

  test('refuses to write a Secret of others before it renews the CA', async () => {
    const { revision } = (await get('certificate', ca)).status;
    await kubectlOk(['create', 'secret', 'generic', `${secret}-both-cas`, '-n', name, '--from-literal=ca.crt=theirs']);
    expect(await run('rotate', '--ca')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        `error: Secret ${name}/${secret}-both-cas exists already, and does not belong to this project\nnothing in the cluster was changed\n`,
      ),
    });
    expect((await get('certificate', ca)).status.revision).toBe(revision);
    await kubectlOk(['delete', 'secret', `${secret}-both-cas`, '-n', name]);
  });

  test('removes the Secret that a killed rotation of the CA left, though nothing expires', async () => {
    const metadata = {
      ...{ name: `${secret}-both-cas`, namespace: name },
      labels: { 'app.kubernetes.io/managed-by': 'apisvc' },
      annotations: { 'apisvc.dev/registration': `${name}/${name}` },
    };
    const left = { apiVersion: 'v1', kind: 'Secret', metadata, data: { 'ca.crt': (await get('secret', ca)).data['tls.crt'] } };
    await kubectlOk(['apply', '--server-side', '--field-manager=apisvc', '-f', '-'], left);
    const before = await places();
    const { report } = await rotated('--if-expires-within', '1d');
    expect(report).toMatchObject({ outcome: 'rotated', kind: 'ca' });
    expect(statesOf(report)).toEqual({ renew: 'skipped', endpoints: 'skipped', 'trust-new': 'done', verify: 'done' });
    expect(await get('secret', `${secret}-both-cas`)).toBeUndefined();
    expect(await places()).toEqual(before);
  });

  test('names the permissions that are missing, with a command', async () => {
    const env = { KUBECONFIG: await userKubeconfig('cert-manager-nobody') };
    const { exitCode, stderr } = await during(apisvc(['rotate', '-C', project.dir], { env }));
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
    const { diagnosis } = await during(verifyJson([project.apiService], { env }));
    expect(codesOf(diagnosis)).toEqual([]);
    expect(diagnosis.apis[0]?.notChecked).toContainEqual({
      what: 'the Certificate of cert-manager',
      why: expect.stringContaining(`resources: [certificates], resourceNames: ["${secret}"], verbs: [get]`),
    });
  });

  test('finds an annotation that names no Certificate', async () => {
    await annotate(`${fromCertificate}=${name}/nope`);
    const how = 'cert-manager.io/inject-ca-from names a Certificate that does not exist';
    await expectFault({ name: 'cert-manager-no-source', how, codes: ['cert-manager/source-not-found'] });
    await annotate(`${fromCertificate}=${name}/${secret}`);
    await expectSame();
  });

  test('finds a Secret that the cainjector may not read', async () => {
    await annotate(`${fromCertificate}-`, `${fromSecret}=${name}/${ca}`);
    const how = 'the Secret in cert-manager.io/inject-ca-from-secret lacks cert-manager.io/allow-direct-injection';
    await expectFault({ name: 'cert-manager-not-allowed', how, codes: ['cert-manager/secret-not-allowed'] });
    await annotate(`${fromSecret}-`, `${fromCertificate}=${name}/${secret}`);
    await expectSame();
  });

  test('finds a Certificate that is not ready, and says why', async () => {
    await patchCertificate({ issuerRef: { name: 'nope' } });
    const how = 'the Certificate names an Issuer that does not exist';
    const { findings } = await expectFault({ name: 'cert-manager-not-ready', how, codes: ['cert-manager/not-ready'] });
    expect(findings[0]?.cause).toBe('cert-manager reports: Referenced "Issuer" not found: issuer.cert-manager.io "nope" not found');
    await patchCertificate({ issuerRef: { name: ca } });
    await expectSame();
  });

  test('finds an Issuer that was deleted, and register restores it', async () => {
    await kubectlOk(['delete', 'issuer', ca, '-n', name]);
    const how = 'the Issuer of a Certificate that is ready was deleted';
    const { findings } = await expectFault({ name: 'cert-manager-no-issuer', how, codes: ['cert-manager/issuer-not-ready'] });
    expect(findings[0]?.title).toContain(`Issuer ${ca} does not exist`);
    expect(await run('register')).toMatchObject({ exitCode: 0 });
  });

  test('finds a name that spec.dnsNames lacks, and register --force-conflicts corrects it', async () => {
    await patchCertificate({ dnsNames: ['other.example.com'] });
    const how = 'spec.dnsNames of the Certificate lacks the name of the Service';
    await expectFault({ name: 'cert-manager-other-name', how, codes: ['cert-manager/name-missing'] });
    expect(await run('register', '--force-conflicts')).toMatchObject({ exitCode: 0 });
    await expectSame();
  });

  test('finds another Secret and another Service in apisvc.yaml', async () => {
    const changed = (edit: Parameters<typeof editConfiguration>[1]): string => {
      const dir = emptyFolder();
      cpSync(project.dir, dir, { recursive: true });
      editConfiguration(dir, edit);
      return dir;
    };
    const expectDrift = async (fault: Parameters<typeof expectFindings>[0], cwd: string) => {
      await during(expectFindings(fault, project.apiService, { cwd }));
      const { stdout } = await during(apisvc(['status', '-C', cwd, '-o', 'json']));
      expect(JSON.parse(stdout)).toMatchObject({ verdict: 'drift', failure: `drift: ${fault.codes}` });
    };
    const otherSecret = changed((document) => document.setIn(['spec', 'certificates', 'secretName'], 'other-tls'));
    const secretHow = 'spec.certificates.secretName in apisvc.yaml was changed after the API was registered';
    await expectDrift({ name: 'other-secret-in-project', how: secretHow, codes: ['cert/other-secret'] }, otherSecret);
    const otherService = changed((document) => document.setIn(['spec', 'service', 'name'], 'other'));
    const serviceHow = 'spec.service.name in apisvc.yaml was changed after the API was registered';
    await expectDrift({ name: 'other-service-in-project', how: serviceHow, codes: ['registration/other-service'] }, otherService);
  });

  test('finds a certificate that was not reissued after its CA changed', async () => {
    await during(renew(name, ca));
    const how = 'the CA of the Issuer was renewed, but not the Certificate';
    await expectFault({ name: 'cert-manager-old-ca', how, codes: ['cert-manager/old-ca'] });
    await during(renew(name, secret));
    await expectSame();
    // The cainjector keeps the earlier CA.
    const { diagnosis } = await during(verifyJson([project.apiService]));
    expect(codesOf(diagnosis)).toEqual([]);
  });

  test('finds it also where the APIService names the Certificate of the CA', async () => {
    await annotate(`${fromCertificate}=${name}/${ca}`);
    await during(renew(name, ca));
    const how = 'the CA was renewed, but not the Certificate, and cert-manager.io/inject-ca-from names the Certificate of the CA';
    await expectFault({ name: 'cert-manager-old-ca-injected', how, codes: ['cert-manager/old-ca'] });
    await during(renew(name, secret));
    await annotate(`${fromCertificate}=${name}/${secret}`);
    await expectSame();
  });

  test('finds a cainjector that does not run', async () => {
    await injector.stop();
    const caBundle = Buffer.from(pem(await makeCa('another CA'))).toString('base64');
    await kubectlOk(['patch', 'apiservice', project.apiService, '--type=merge', '-p', JSON.stringify({ spec: { caBundle } })]);
    await kubectlOk(['wait', '--for=condition=Available=False', '--timeout=60s', `apiservice/${project.apiService}`]);
    const how = 'the caBundle was overwritten while the cainjector of cert-manager does not run';
    const fault = { name: 'cert-manager-not-injected', how, codes: ['cert-manager/not-injected'] } as const;
    const { findings } = await controller.during(expectFindings(fault, project.apiService, { withinMs: 60_000 }));
    expect(findings[0]?.cause).toBe('The cainjector is not running: nobody renews its Lease.');
    injector = startCertManager('cainjector');
    await expectSame();
  });
});

test('the harness reports a controller that ends, with its log', async () => {
  const kubeconfig = join(emptyFolder(), 'missing');
  const ending = startCertManager('controller', kubeconfig).during(new Promise(() => {}));
  await expect(ending).rejects.toThrow(new RegExp(`^controller of cert-manager ended with exit code 1:\n[^]*${kubeconfig}`));
});
