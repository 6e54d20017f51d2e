import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyApiProject, makeAnyApiProject, removeAnyApiProject } from '../../harness/any-api-project.ts';
import { type CertManager, installCertManagerCrds, startCertManager } from '../../harness/cert-manager.ts';
import { apisvc } from '../../harness/commands.ts';
import { codesOf, emptyFolder, getObject, kubectlOk, verifyJson } from '../../harness/projects.ts';
import { certificatesOf } from '../../harness/rotations.ts';

/**
 * A project whose certificate cert-manager 1.21.2 issues, and whose caBundle its cainjector writes.
 * Both run as components/cert-manager.
 */

const name = 'issued';
const secret = `${name}-tls`;
let project: AnyApiProject;
let controller: CertManager;
let injector: CertManager;

/** Waits for work of cert-manager, or for its end. */
const during = <T>(work: PromiseLike<T>): Promise<T> => controller.during(injector.during(work));

const run = (...args: readonly string[]) => during(apisvc([...args, '-C', project.dir]));

// biome-ignore lint/suspicious/noExplicitAny: an object as kubectl prints it.
const get = async (kind: string, of: string): Promise<any> => getObject(kind, of, '-n', name);

const decoded = (text: string): string => Buffer.from(text, 'base64').toString();

/** The certificates of the Secret, by entry, and the CAs of the caBundle. */
async function places() {
  const { data } = await get('secret', secret);
  const { spec } = await get('apiservice', project.apiService);
  const [leaf] = certificatesOf(decoded(data['tls.crt']));
  return { leaf, ca: decoded(data['ca.crt']), bundle: decoded(spec.caBundle) };
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
    expect({ exitCode, codes: codesOf(diagnosis) }).toEqual({ exitCode: 0, codes: [] });
    const status = await run('status', '-o', 'json');
    expect({ ...status, status: JSON.parse(status.stdout) }).toMatchObject({
      exitCode: 0,
      status: { verdict: 'same', findings: [], issuer: { type: 'cert-manager', secret: 'cert-manager', caBundle: 'cert-manager' } },
    });
  });

  test('renews the certificate, which every endpoint serves in the end', async () => {
    const before = await places();
    await renew(secret);
    // The kubelet takes a while to update the files, and the server to read them.
    const verdict = async () => JSON.parse((await run('status', '-o', 'json')).stdout).verdict;
    await expect.poll(verdict, { timeout: 60_000 }).toBe('same');
    const { leaf, ca, bundle } = await places();
    expect(leaf?.fingerprint256).not.toBe(before.leaf?.fingerprint256);
    expect({ ca, bundle }).toEqual({ ca: before.ca, bundle: before.bundle });
  });
});

test('the harness reports a controller that ends, with its log', async () => {
  const kubeconfig = join(emptyFolder(), 'missing');
  const ending = startCertManager('controller', kubeconfig).during(new Promise(() => {}));
  await expect(ending).rejects.toThrow(new RegExp(`^controller of cert-manager ended with exit code 1:\\n[^]*${kubeconfig}`));
});

/** What `cmctl renew` does (github.com/cert-manager/cmctl, pkg/renew). */
async function renew(certificate: string): Promise<void> {
  const { status } = await get('certificate', certificate);
  const lastTransitionTime = new Date().toISOString().replace(/\.\d+/, '');
  const issuing = { type: 'Issuing', status: 'True', reason: 'ManuallyTriggered', message: 'Renewal of the spec', lastTransitionTime };
  const patch = JSON.stringify({ status: { conditions: [...status.conditions, issuing] } });
  await kubectlOk(['patch', 'certificate', certificate, '-n', name, '--subresource=status', '--type=merge', '-p', patch]);
  const revision = async () => (await get('certificate', certificate)).status.revision;
  await during(expect.poll(revision, { timeout: 60_000 }).toBe(status.revision + 1));
}
