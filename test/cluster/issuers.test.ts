import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Made } from '../unit/pki/certificates.ts';
import type { ServingPair } from './harness/backends.ts';
import { makeCa, makeLeaf, pair, pem, validForDays } from './harness/certificates.ts';
import { type IssuerProject, issuerProjects } from './harness/issuer-projects.ts';
import { codesOf, editConfiguration, emptyFolder, failure, getObject, kubectlOk, verifyJson, waitForOutput } from './harness/projects.ts';

const { project, remove } = issuerProjects();
afterAll(remove);

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** What another tool writes. @param ca left out where it is undefined */
const secret = ({ name }: Pick<IssuerProject, 'name'>, { certificates, key }: ServingPair, ca?: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'api-tls', namespace: name },
  type: 'kubernetes.io/tls',
  data: { 'tls.crt': base64(certificates), 'tls.key': base64(key), ...(ca === undefined ? {} : { 'ca.crt': base64(ca) }) },
});

const writeSecret = (...args: Parameters<typeof secret>): Promise<string> =>
  kubectlOk(['apply', '--server-side', '--force-conflicts', '--field-manager=vault', '-f', '-'], secret(...args));

// biome-ignore lint/suspicious/noExplicitAny: an object as kubectl prints it.
const specOf = async ({ apiService }: IssuerProject): Promise<any> => (await getObject('apiservice', apiService))?.spec;

/** A CA, and a certificate of the Service by it. */
async function issued({ host }: IssuerProject, commonName = 'Company CA'): Promise<{ ca: Made; pair: ServingPair }> {
  const ca = await makeCa(commonName);
  return { ca, pair: pair(await makeLeaf(host, ca)) };
}

const status = async ({ run }: IssuerProject) => {
  const { exitCode, stdout } = await run('status', '-o', 'json');
  return { exitCode, status: JSON.parse(stdout) };
};

/** Whether `init` wrote certificates, and what `render` prints. */
async function written({ dir, run }: IssuerProject) {
  const { stdout } = await run('render', '-o', 'json');
  // biome-ignore lint/suspicious/noExplicitAny: objects as apisvc prints them.
  const items: any[] = JSON.parse(stdout).items;
  const one = (kind: string) => items.find((each) => each.kind === kind);
  return {
    certs: existsSync(join(dir, 'certs')),
    secret: one('Secret') !== undefined,
    serviceAnnotations: Object.keys(one('Service').metadata.annotations),
    annotations: Object.keys(one('APIService').metadata.annotations),
    verification: { caBundle: one('APIService').spec.caBundle, insecure: one('APIService').spec.insecureSkipTLSVerify },
  };
}

const own = 'apisvc.dev/registration';
const nothing = { certs: false, secret: false, serviceAnnotations: [own], annotations: [own], verification: {} };

describe('self-signed and ca', () => {
  test.each([
    ['self-signed', ['.gitignore', 'ca.crt', 'ca.key', 'tls.crt', 'tls.key']],
    ['ca', ['.gitignore', 'ca.crt', 'tls.crt', 'tls.key']],
  ] as const)('%s: init makes the certificates, render and register have everything, and all places agree', async (type, files) => {
    const ca = await makeCa('Company CA', validForDays(500));
    const given = { cert: join(emptyFolder(), 'company.crt'), key: join(emptyFolder(), 'company.key') };
    writeFileSync(given.cert, pem(ca));
    writeFileSync(given.key, pair(ca).key, { mode: 0o600 });
    const api = await project(`issuer-${type}`, type, ...(type === 'ca' ? ['--ca-cert', given.cert, '--ca-key', given.key] : []));
    const certs = join(api.dir, 'certs');
    expect(readdirSync(certs).sort()).toEqual(files);
    const text = (file: string): string => readFileSync(join(certs, file), 'utf8');
    const { stdout } = await api.run('render', '--secrets', 'include');
    expect(stdout).toContain(`caBundle: ${base64(text('ca.crt'))}`);
    expect(stdout).toContain(`tls.crt: ${base64(text('tls.crt'))}`);

    await api.serve({ certificates: text('tls.crt'), key: text('tls.key') });
    expect(await api.run('register')).toMatchObject({ exitCode: 0 });
    expect(await getObject('secret', '-n', api.name, 'api-tls')).toMatchObject({
      data: { 'tls.crt': base64(text('tls.crt')), 'ca.crt': base64(text('ca.crt')) },
    });
    expect((await specOf(api)).caBundle).toBe(base64(text('ca.crt')));
    const { exitCode, diagnosis } = await verifyJson([api.apiService], { cwd: api.dir });
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 0, codes: [] });
    expect(await status(api)).toMatchObject({ exitCode: 0, status: { verdict: 'same', issuer: { type, secret: 'apisvc' } } });
  });
});

describe('existing-secret', () => {
  test('register waits for the Secret, writes the caBundle from ca.crt, and leaves the Secret alone', async () => {
    const api = await project('others-secret', 'existing-secret');
    expect(await written(api)).toEqual(nothing);
    const { ca, pair } = await issued(api);
    await api.serve(pair);
    const running = api.run('register');
    await waitForOutput(running, /waiting for another tool to write secret\/others-secret\/api-tls: no certificate in tls\.crt yet/);
    expect(await specOf(api)).toBeUndefined();
    await writeSecret(api, pair, pem(ca));
    expect(await running).toMatchObject({ exitCode: 0 });
    expect((await specOf(api)).caBundle).toBe(base64(pem(ca)));
    const { metadata }: never = (await getObject('secret', '-n', api.name, 'api-tls')) as never;
    expect(JSON.stringify(metadata)).not.toContain('apisvc');

    expect(await api.run('register')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
    const { exitCode, diagnosis } = await verifyJson([api.apiService], { cwd: api.dir });
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 0, codes: [] });
    const found = await status(api);
    expect(found).toMatchObject({
      exitCode: 0,
      status: { verdict: 'same', findings: [], issuer: { type: 'existing-secret', secret: 'another tool', caBundle: 'apisvc' } },
    });
    expect((await api.run('status')).stdout).toContain(
      '\nissuer existing-secret: key created by another tool; Secret written by another tool; ',
    );
    expect(await api.run('rotate')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('another tool writes Secret others-secret/api-tls'),
    });
  });

  test('register takes the caBundle from the file', async () => {
    const api = await project('others-file', 'existing-secret');
    const { ca, pair } = await issued(api);
    const next = await issued(api, 'New CA');
    const trust = (...cas: (typeof ca)[]) => writeFileSync(join(api.dir, 'company.crt'), pem(...cas));
    trust(ca);
    editConfiguration(api.dir, (document) => document.setIn(['spec', 'certificates', 'issuer', 'caBundleFile'], 'company.crt'));
    expect(await written(api)).toEqual({ ...nothing, verification: { caBundle: base64(pem(ca)) } });
    await writeSecret(api, pair);
    await api.serve(pair);
    expect(await api.run('register')).toMatchObject({ exitCode: 0 });
    expect((await specOf(api)).caBundle).toBe(base64(pem(ca)));

    // Both, before the tool writes a certificate of the new one.
    trust(ca, next.ca);
    expect(await api.run('register')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(' objects: 1 configured, ') });
    expect((await specOf(api)).caBundle).toBe(base64(pem(ca, next.ca)));
    await writeSecret(api, next.pair);
    await api.serve(next.pair);
    expect((await verifyJson([api.apiService])).exitCode).toBe(0);
    trust(ca);
    expect(await api.run('register')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('Let it write a correct certificate, or correct the CA in the caBundleFile, and run'),
    });
    trust(next.ca);
    expect(await api.run('register')).toMatchObject({ exitCode: 0 });
    expect((await specOf(api)).caBundle).toBe(base64(pem(next.ca)));
  });

  test('a certificate that does not fit is one error before anything is applied', async () => {
    const api = await project('others-unfit', 'existing-secret');
    const { ca } = await issued(api);
    const other = await makeCa('Another CA');
    const wrong = pair(await makeLeaf('elsewhere.example.com', other));
    const { key } = pair(await makeLeaf(api.host, ca));
    await writeSecret(api, { ...wrong, key }, pem(ca));
    const { exitCode, stdout, stderr } = await failure(api.run('register'));
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(
      [
        'error: the certificate in Secret others-unfit/api-tls cannot be used:',
        '  tls.key in Secret others-unfit/api-tls is not the private key of tls.crt',
        '  Secret others-unfit/api-tls: the certificate is not valid for api.others-unfit.svc',
      ].join('\n'),
    );
    expect(stderr).toMatch(/^ {2}Secret others-unfit\/api-tls: .*ca\.crt in Secret others-unfit\/api-tls/m);
    expect(stderr).toContain(
      '\nnothing was changed\nfix: Another tool writes the Secret. Let it write a correct certificate, and run the same command again.\n',
    );
    expect(await getObject('service', '-n', api.name, 'api')).toBeUndefined();

    await writeSecret(api, pair(await makeLeaf(api.host, ca)));
    expect((await failure(api.run('register'))).stderr).toContain(
      'error: Secret others-unfit/api-tls has no CA certificate in ca.crt, so apisvc cannot write the caBundle\nnothing was changed\nfix: Save the CA certificates in a file',
    );
  });

  test('register follows a new CA by trusting both first', async () => {
    const api = await project('others-ca', 'existing-secret');
    const [old, next] = [await issued(api, 'Old CA'), await issued(api, 'New CA')];
    await writeSecret(api, old.pair, pem(old.ca));
    await api.serve(old.pair);
    expect(await api.run('register')).toMatchObject({ exitCode: 0 });

    await writeSecret(api, next.pair, pem(next.ca));
    const running = api.run('register');
    await waitForOutput(running, /Trusting both CAs[\s\S]*waiting for every endpoint to serve/);
    expect((await specOf(api)).caBundle).toBe(base64(pem(old.ca, next.ca)));
    expect((await verifyJson([api.apiService])).exitCode).toBe(0);
    await api.serve(next.pair);
    expect(await running).toMatchObject({ exitCode: 0 });
    expect((await specOf(api)).caBundle).toBe(base64(pem(next.ca)));
  });
});

describe('cert-manager in a cluster without it', () => {
  test('register says that it is missing, and unregister removes the rest', async () => {
    const api = await project('no-cert-manager', 'cert-manager');
    for (const flags of [[], ['--dry-run=server'], ['--diff']]) {
      const { exitCode, stderr } = await failure(api.run('register', ...flags));
      expect({ exitCode, stderr }).toEqual({
        exitCode: 3,
        stderr: expect.stringMatching(
          /^error: failed to get \w+\/no-cert-manager\/\S+: the cluster does not serve cert-manager\.io\/v1\n(nothing was changed\n)?fix: Install cert-manager, or choose another issuer in apisvc\.yaml\.\n$/m,
        ),
      });
    }
    expect(await getObject('service', '-n', api.name, 'api')).toBeUndefined();
    expect(await api.run('unregister', '--yes')).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Nothing to do') });
  });
});

describe('insecure', () => {
  test('register writes no Secret and no caBundle, and verify always reports it', async () => {
    const api = await project('unverified', 'insecure');
    expect(await written(api)).toEqual({ ...nothing, verification: { insecure: true } });
    await api.serve((await issued(api)).pair);
    const registered = await api.run('register');
    expect(registered).toMatchObject({ exitCode: 0 });
    expect(registered.stdout).toContain('security/insecure-skip-tls-verify');
    const { caBundle, insecureSkipTLSVerify } = await specOf(api);
    expect({ caBundle, insecureSkipTLSVerify }).toEqual({ caBundle: undefined, insecureSkipTLSVerify: true });
    expect(await getObject('secret', '-n', api.name, 'api-tls')).toBeUndefined();
    expect(await api.run('register')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
    const { exitCode, diagnosis } = await verifyJson([api.apiService], { cwd: api.dir });
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 0, codes: ['security/insecure-skip-tls-verify'] });
    expect(await status(api)).toMatchObject({ exitCode: 0, status: { verdict: 'same', issuer: { type: 'insecure', secret: 'nobody' } } });
    expect((await failure(api.run('rotate'))).exitCode).toBe(1);
  });
});

/**
 * Imitates the service CA operator of OpenShift by what its documentation says of the two
 * annotations, because the operator does not run here. Only the effect of the annotations is the
 * same: the Secret of a Service has no ca.crt, and the caBundle gets the CA.
 */
function imitateOperator(api: IssuerProject, { ca, pair }: { readonly ca: Made; readonly pair: ServingPair }): void {
  const stop = new AbortController();
  const annotationsOf = async (...args: string[]): Promise<Record<string, string>> =>
    // biome-ignore lint/suspicious/noExplicitAny: an object as kubectl prints it.
    ((await getObject(...args)) as any)?.metadata.annotations ?? {};
  const reconcile = async (): Promise<void> => {
    const name = (await annotationsOf('service', '-n', api.name, 'api'))['service.beta.openshift.io/serving-cert-secret-name'];
    if (name !== undefined && !(await getObject('secret', '-n', api.name, name))) await kubectlOk(['create', '-f', '-'], secret(api, pair));
    if ((await annotationsOf('apiservice', api.apiService))['service.beta.openshift.io/inject-cabundle'] !== 'true') return;
    const patch = JSON.stringify({ spec: { caBundle: base64(pem(ca)) } });
    await kubectlOk(['patch', 'apiservice', api.apiService, '--type=merge', '--field-manager=service-ca-operator', '-p', patch]);
  };
  const loop = (async () => {
    while (!stop.signal.aborted) await reconcile();
  })();
  onTestFinished(async () => {
    stop.abort();
    await loop;
  });
}

describe('openshift-service-ca', () => {
  test('register sets the annotations, and waits for what the operator writes', async () => {
    const api = await project('openshift', 'openshift-service-ca');
    expect(await written(api)).toEqual({
      ...nothing,
      serviceAnnotations: ['service.beta.openshift.io/serving-cert-secret-name', own],
      annotations: ['service.beta.openshift.io/inject-cabundle', own],
    });
    const made = await issued(api, 'openshift-service-serving-signer');
    await api.serve(made.pair);
    const running = api.run('register');
    await waitForOutput(running, /waiting for OpenShift's service CA operator to write secret\/openshift\/api-tls/);
    imitateOperator(api, made);
    expect(await running).toMatchObject({ exitCode: 0 });
    expect((await specOf(api)).caBundle).toBe(base64(pem(made.ca)));

    expect(await api.run('register')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed: /) });
    expect((await specOf(api)).caBundle).toBe(base64(pem(made.ca)));
    const { exitCode, diagnosis } = await verifyJson([api.apiService], { cwd: api.dir });
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 0, codes: [] });
    expect(await status(api)).toMatchObject({ exitCode: 0, status: { verdict: 'same', issuer: { type: 'openshift-service-ca' } } });
    expect((await failure(api.run('rotate'))).stderr).toContain('kubectl -n openshift delete secret api-tls');
  });

  test('register says what the operator reports', async () => {
    const api = await project('openshift-error', 'openshift-service-ca');
    editConfiguration(api.dir, (document) =>
      document.setIn(['spec', 'service', 'annotations', 'service.beta.openshift.io/serving-cert-generation-error'], 'secret exists'),
    );
    const { exitCode, stderr } = await failure(api.run('register', '--timeout', '15s'));
    expect(exitCode).toBe(124);
    expect(stderr).toContain('last state: the operator reports for Service openshift-error/api: secret exists');
  });
});
