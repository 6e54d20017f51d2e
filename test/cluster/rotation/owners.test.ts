import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectFiles } from '../../../src/project/project.ts';
import { type AnyApiProject, installAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { kubectlOk } from '../harness/projects.ts';
import { expectAgreement, placesOf, rotateOk } from '../harness/rotations.ts';

/**
 * What others own, and what others verify by the CA, is found before a rotation writes to the
 * cluster.
 */

const name = 'owners';
const ca = ['--ca', '--soak', '0s'];
let project: AnyApiProject;
/** The APIService of the project. apisvc does not apply it: a GitOps tool does. */
let apiService: { readonly metadata: { readonly name: string }; readonly spec: { readonly caBundle: string } };

beforeAll(async () => {
  project = await installAnyApiProject({ name, replicas: 1 });
  const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', project.apiService, '-o', 'json']));
  apiService = {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: project.apiService },
    spec,
  } as typeof apiService;
});

afterAll(async () => {
  await kubectl(['delete', 'apiservice', project.apiService, '--ignore-not-found']);
  await kubectl(['delete', 'validatingwebhookconfiguration,mutatingwebhookconfiguration', name, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
});

const refusal = async (...flags: readonly string[]) => {
  const { exitCode, stderr } = await apisvc(['rotate', '-C', project.dir, ...flags], { timeout: 250_000 });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
  return stderr;
};
const bundle = (): Promise<string> => kubectlOk(['get', 'apiservice', project.apiService, '-o', 'jsonpath={.spec.caBundle}']);
const liveState = async () => ({
  places: { ...(await placesOf(project, name)), pending: undefined },
  leases: await kubectlOk(['get', 'leases', '-n', name, '-o', 'name']),
});
/** Both CAs, as a caBundle. */
const bothCas = (): string =>
  Buffer.concat(
    [projectFiles(project.dir).caCertificate, join(project.dir, 'certs', 'next', 'ca.crt')].map((path) => readFileSync(path)),
  ).toString('base64');
const withBundle = (caBundle: string) => ({ ...apiService, spec: { ...apiService.spec, caBundle } });
const applyAsGit = (caBundle: string) =>
  kubectlOk(['apply', '--server-side', '--force-conflicts', '--field-manager=argocd', '-f', '-'], withBundle(caBundle));
/** Deletes and creates it, so that nobody else owns a field. */
async function createAs(apply: () => Promise<unknown>): Promise<void> {
  await kubectlOk(['delete', 'apiservice', project.apiService]);
  await apply();
  await kubectlOk(['wait', '--for=condition=Available', `apiservice/${project.apiService}`, '--timeout=60s']);
}

describe('a caBundle that another manager applied', () => {
  test('is refused before anything is written, with the manager, the field and the time', async () => {
    const caBundle = await bundle();
    await createAs(() => applyAsGit(caBundle));
    const before = await liveState();
    const stderr = await refusal(...ca);
    expect(stderr).toMatch(/apiservice\/\S+ \.spec\.caBundle: conflict with "argocd" at 20\S+Z\nnothing in the cluster was changed/);
    expect(stderr).toMatch(
      /fix: Take over the fields with --force-conflicts[\s\S]*Git[\s\S]*cat \S+\/certs\/ca\.crt \S+\/next\/ca\.crt \| base64/,
    );
    expect(await refusal(...ca, '--dry-run')).toContain('conflict with "argocd"');
    expect(await liveState()).toEqual(before);
    // Only the serving certificate: no caBundle changes.
    await rotateOk(project, '--abort', '--soak', '0s');
    await rotateOk(project);
  });

  test('is not needed after both CAs are in Git, and only the new one at the end', async () => {
    await refusal(...ca);
    await applyAsGit(bothCas());
    const stderr = await refusal(...ca);
    expect(stderr).toMatch(/==> Trusting only the new CA[\s\S]*conflict with "argocd" at/);
    expect(stderr).toMatch(/To print the value of caBundle: cat \S+\/certs\/next\/ca\.crt \| base64/);
    await applyAsGit(readFileSync(join(project.dir, 'certs', 'next', 'ca.crt')).toString('base64'));
    await rotateOk(project, ...ca);
    await expectAgreement(project, name);
  });

  test('is taken over with --force-conflicts', async () => {
    await refusal(...ca);
    await rotateOk(project, ...ca, '--force-conflicts');
    await expectAgreement(project, name);
  });
});

test('a caBundle that kubectl applied client-side is changed', async () => {
  const caBundle = await bundle();
  await createAs(() => kubectlOk(['apply', '-f', '-'], withBundle(caBundle)));
  await rotateOk(project, ...ca);
  await expectAgreement(project, name);
});

describe('a webhook of the Service that trusts only the old CA', () => {
  const webhooks = (kind: string, caBundle: string) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name },
    webhooks: [
      {
        name: 'owners.example.com',
        clientConfig: { service: { namespace: name, name, path: '/' }, caBundle },
        rules: [{ apiGroups: ['owners.example.com'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        failurePolicy: 'Ignore',
      },
    ],
  });

  test('is refused with its name, until it trusts both', async () => {
    const kinds = ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'];
    const old = await bundle();
    for (const kind of kinds) await kubectlOk(['apply', '-f', '-'], webhooks(kind, old));
    const before = await placesOf(project, name);
    const stderr = await refusal(...ca);
    expect(stderr).toContain(
      `error: webhooks of Service ${name}/${name} trust the old certificate, but the new one does not verify against their caBundle: validatingwebhookconfiguration/${name}, mutatingwebhookconfiguration/${name}\n`,
    );
    expect(stderr).toContain(`kubectl edit mutatingwebhookconfiguration/${name}`);
    expect({ ...(await placesOf(project, name)), pending: false }).toEqual(before);
    for (const kind of kinds) await kubectlOk(['apply', '-f', '-'], webhooks(kind, bothCas()));
    await rotateOk(project, ...ca);
    await expectAgreement(project, name);
  });
});
