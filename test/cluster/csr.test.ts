import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../src/project/project.ts';
import type { Made } from '../unit/pki/certificates.ts';
import { keyMarkersIn } from '../unit/pki/key-traces.ts';
import { makeCa, pem, validForDays } from './harness/certificates.ts';
import { apisvc, kubectl } from './harness/commands.ts';
import { type IssuerProject, issuerProjects } from './harness/issuer-projects.ts';
import { codesOf, editConfiguration, failure, getObject, kubectlOk, servingPairOf, verifyJson, waitForOutput } from './harness/projects.ts';
import { requestsFor, runSigner, signWith } from './harness/signer.ts';
import { userKubeconfig } from './harness/users.ts';

/** The issuer csr, with signers of Kubernetes itself and with a signer that runs in the spec. */

const { project: makeProject, remove } = issuerProjects();
afterAll(async () => {
  await remove();
  await kubectl(['delete', 'csr', '-l', 'app.kubernetes.io/managed-by=apisvc']);
});

interface SignedProject extends IssuerProject {
  readonly signer: string;
  readonly ca: Made;
}

/** @param signer by default one of the project's own */
async function project(name: string, signer = `${name}.example.com/serving`): Promise<SignedProject> {
  const ca = await makeCa(`Signer of ${name}`, validForDays(500));
  const made = await makeProject(name, 'csr', '--signer', signer, '--cluster-trust-bundle', 'replaced');
  writeFileSync(join(made.dir, 'signer.crt'), pem(ca));
  editConfiguration(made.dir, (document) => {
    document.deleteIn(['spec', 'certificates', 'issuer', 'clusterTrustBundle']);
    document.setIn(['spec', 'certificates', 'issuer', 'caBundleFile'], 'signer.crt');
  });
  return { ...made, signer, ca };
}

/** Serves the certificate as soon as it is in certs/. */
async function serveWhenSigned(api: IssuerProject, running: ReturnType<typeof apisvc>): Promise<void> {
  await waitForOutput(running, /note: wrote .*tls\.key/);
  await api.serve(servingPairOf(api.dir));
}

// biome-ignore lint/suspicious/noExplicitAny: objects as kubectl prints them.
const read = async (...args: string[]): Promise<any> => getObject(...args);
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('with the right to approve', () => {
  test('register requests, approves, waits for the signer, and registers; rotate requests another certificate', async () => {
    const api = await project('csr-approver');
    const dryRun = await api.run('register', '--dry-run', 'server');
    expect(dryRun).toMatchObject({ exitCode: 0, stdout: expect.not.stringContaining('secret/') });
    expect(dryRun.stderr).toContain('note: Secret csr-approver/api-tls is omitted, because a dry run does not request its certificate');
    expect(await requestsFor(api.signer)).toEqual([]);
    expect(existsSync(join(api.dir, 'certs'))).toBe(false);

    const running = api.run('register');
    await waitForOutput(running, /approved, but signer csr-approver\.example\.com\/serving has not signed it yet/);
    expect(statSync(projectFiles(api.dir).requestKey).mode & 0o777).toBe(0o600);
    runSigner(api.signer, signWith(api.ca));
    await serveWhenSigned(api, running);
    const registered = await running;
    expect(registered).toMatchObject({ exitCode: 0 });
    const [request, ...more] = await requestsFor(api.signer);
    expect({ request, more }).toMatchObject({
      request: { spec: { usages: ['digital signature', 'server auth'], expirationSeconds: 365 * 86_400 } },
      more: [],
    });
    expect((await read('apiservice', api.apiService)).spec.caBundle).toBe(base64(pem(api.ca)));
    const { certificates, key } = servingPairOf(api.dir);
    expect((await read('secret', '-n', api.name, 'api-tls')).data).toEqual({
      'ca.crt': base64(pem(api.ca)),
      'tls.crt': base64(certificates),
      'tls.key': base64(key),
    });
    expect(statSync(projectFiles(api.dir).key).mode & 0o777).toBe(0o600);
    expect(existsSync(projectFiles(api.dir).requestKey)).toBe(false);
    expect(keyMarkersIn(`${registered.stdout}${registered.stderr}${JSON.stringify(await requestsFor(api.signer))}`)).toEqual([]);

    expect(await api.run('register')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
    expect(await requestsFor(api.signer)).toHaveLength(1);
    const { exitCode, diagnosis } = await verifyJson([api.apiService], { cwd: api.dir });
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 0, codes: [] });
    expect(await api.run('lint')).toMatchObject({ exitCode: 0 });
    expect((await api.run('render')).stdout).toContain(`caBundle: ${base64(pem(api.ca))}`);
    expect(await api.run('status')).toMatchObject({ exitCode: 0 });

    expect(await api.run('rotate', '--dry-run')).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('1. Issuing a serving certificate to certs/next'),
    });
    expect(await requestsFor(api.signer)).toHaveLength(1);
    expect(await failure(api.run('rotate', '--ca'))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('error: --ca requires a new CA, but the CA of the signer has not changed'),
    });
    const rotating = api.run('rotate');
    await waitForOutput(rotating, /Waiting until every endpoint serves the new certificate/);
    const next = join(api.dir, 'certs', 'next');
    await api.serve({ certificates: readFileSync(join(next, 'tls.crt'), 'utf8'), key: readFileSync(join(next, 'tls.key'), 'utf8') });
    const rotated = await rotating;
    expect(rotated).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Rotated the serving certificate.') });
    expect(await requestsFor(api.signer)).toHaveLength(2);
    expect(servingPairOf(api.dir).certificates).not.toBe(certificates);
    expect(existsSync(projectFiles(api.dir).requestKey)).toBe(false);
  });

  test('register takes the CAs from a ClusterTrustBundle, and another checkout takes the certificate from the Secret', async () => {
    const api = await project('csr-bundle');
    editConfiguration(api.dir, (document) => {
      document.deleteIn(['spec', 'certificates', 'issuer', 'caBundleFile']);
      document.setIn(['spec', 'certificates', 'issuer', 'clusterTrustBundle'], 'csr-bundle');
    });
    expect(await failure(api.run('register'))).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('error: ClusterTrustBundle "csr-bundle" not found'),
    });
    await kubectlOk(['create', '-f', '-'], {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'ClusterTrustBundle',
      metadata: { name: 'csr-bundle' },
      spec: { trustBundle: pem(api.ca) },
    });
    runSigner(api.signer, signWith(api.ca));
    const running = api.run('register');
    await serveWhenSigned(api, running);
    expect(await running).toMatchObject({ exitCode: 0 });
    expect((await read('apiservice', api.apiService)).spec.caBundle).toBe(base64(pem(api.ca)));

    rmSync(join(api.dir, 'certs'), { recursive: true });
    const again = await api.run('register');
    expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
    expect(again.stderr).toContain('using the certificate and the key in Secret csr-bundle/api-tls');
    expect(await requestsFor(api.signer)).toHaveLength(1);
    await kubectlOk(['delete', 'clustertrustbundle', 'csr-bundle']);
  });
});

describe('without the right to approve', () => {
  test('register says how to approve, ends at the deadline, and continues with the same request', async () => {
    const api = await project('csr-requester');
    const env = { KUBECONFIG: await userKubeconfig('csr-requester') };
    const run = (...args: string[]) => apisvc([...args], { cwd: api.dir, env });
    const refused = await failure(run('register'));
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toMatch(/create, get certificatesigningrequests\.certificates\.k8s\.io/);
    const [, grants = ''] = /^kubectl auth reconcile -f - <<'EOF'\n(.*)\nEOF\n/ms.exec(refused.stderr) ?? [];
    const { exitCode } = await kubectl(['auth', 'reconcile', '-f', '-'], { input: grants });
    expect(exitCode).toBe(0);

    const late = await failure(run('register', '--timeout', '15s'));
    const [request] = await requestsFor(api.signer);
    const name = request?.metadata.name ?? '';
    expect(late.exitCode).toBe(124);
    const approve = `kubectl certificate approve ${name}`;
    expect(late.stderr).toContain(
      `waiting for certificatesigningrequest/${name} to be signed: not approved yet; to approve it: ${approve}`,
    );
    expect(late.stderr).toMatch(/^error: timed out after 15s registering, waiting for .*; last state: not approved yet; to approve it: /m);
    expect(late.stderr.match(/^error: /gm)).toHaveLength(1);
    expect(await read('secret', '-n', api.name, 'api-tls')).toBeUndefined();

    runSigner(api.signer, signWith(api.ca));
    const running = run('register');
    await waitForOutput(running, /not approved yet/);
    await kubectlOk(['certificate', 'approve', name]);
    await serveWhenSigned(api, running);
    expect(await running).toMatchObject({ exitCode: 0 });
    expect(await requestsFor(api.signer)).toHaveLength(1);
  });
});

describe('a request that is not signed', () => {
  test('is reported when it was denied, until it is deleted', async () => {
    const api = await project('csr-denied');
    const env = { KUBECONFIG: await userKubeconfig('csr-denied', ['system:masters']) };
    await kubectlOk(['create', 'clusterrole', 'csr-denied', '--verb=get,list,create,patch,watch,delete', '--resource=*.*']);
    const impersonated = (...args: string[]) => apisvc([...args, '--as', 'csr-denied-user'], { cwd: api.dir, env });
    await kubectlOk(['create', 'clusterrolebinding', 'csr-denied', '--clusterrole=csr-denied', '--user=csr-denied-user']);
    const running = impersonated('register');
    await waitForOutput(running, /not approved yet/);
    const name = (await requestsFor(api.signer))[0]?.metadata.name ?? '';
    await kubectlOk(['certificate', 'deny', name]);
    const { exitCode, stderr } = await failure(running);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `error: CertificateSigningRequest ${name} was denied: KubectlDeny: This CSR was denied by kubectl certificate deny.\n` +
        `fix: To request the certificate again, delete the old request: kubectl delete csr ${name}\nThen run the same command again.\n`,
    );
    expect((await failure(impersonated('register'))).stderr).toContain(`${name} was denied`);
    await kubectlOk(['delete', 'csr', name]);
    const again = impersonated('register');
    await waitForOutput(again, /not approved yet/);
    await kubectlOk(['delete', 'csr', name]);
    expect((await failure(again)).stderr).toContain(`error: CertificateSigningRequest ${name} was deleted before it was signed\n`);
    await kubectlOk(['delete', 'clusterrole,clusterrolebinding', 'csr-denied']);
  });

  test('is reported with the words of the signer', async () => {
    const api = await project('csr-failed');
    runSigner(api.signer, async () => ({
      conditions: [{ type: 'Failed', status: 'True', reason: 'PolicyViolation', message: 'no such team' }],
    }));
    const { exitCode, stderr } = await failure(api.run('register'));
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^error: signer csr-failed\.example\.com\/serving failed to sign CertificateSigningRequest \S+: PolicyViolation: no such team$/m,
    );
  });

  test('or signed by another CA, is reported before anything is applied', async () => {
    const api = await project('csr-other-ca');
    const other = await makeCa('Another CA', validForDays(500));
    runSigner(api.signer, signWith(other));
    const { exitCode, stderr } = await failure(api.run('register'));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`error: the certificate from signer ${api.signer} cannot be used:\n`);
    expect(await read('secret', '-n', api.name, 'api-tls')).toBeUndefined();
    writeFileSync(join(api.dir, 'signer.crt'), pem(other));
    const running = api.run('register');
    await serveWhenSigned(api, running);
    expect(await running).toMatchObject({ exitCode: 0 });
    expect(await requestsFor(api.signer)).toHaveLength(1);
  });
});

test.each([
  ['kube-apiserver-client', 'SignerValidationFailure: invalid usage for client certificate: server auth'],
  ['kube-apiserver-client-kubelet', 'SignerValidationFailure: subject organization is not system:nodes'],
  ['kubelet-serving', 'SignerValidationFailure: subject organization is not system:nodes'],
])('the signer kubernetes.io/%s does not sign for a Service', async (signer, why) => {
  const api = await project(`csr-${signer}`, `kubernetes.io/${signer}`);
  const { exitCode, stderr } = await failure(api.run('register'));
  expect(exitCode).toBe(1);
  expect(stderr).toContain(
    `: ${why}\nfix: Use another signer: the signers of kube-controller-manager do not sign serving certificates for a Service.\n`,
  );
});

test('the signer kubernetes.io/legacy-unknown does not exist in certificates.k8s.io/v1', async () => {
  const api = await project('csr-legacy', 'kubernetes.io/legacy-unknown');
  const { exitCode, stderr } = await failure(api.run('register'));
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('spec.signerName: Invalid value') });
});
