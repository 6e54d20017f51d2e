import { describe, expect, test } from 'vitest';
import { Exit, RefusedError } from '../../../src/errors.ts';
import { manifestsToRegister } from '../../../src/manifests/render.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { completeExistingDeployment } from '../../../src/operations/existing-deployment.ts';
import { answer, clusterOf, never, notFound } from '../cluster/kube-api.ts';
import { issued, registrationOf } from '../manifests/fixture.ts';

describe('an existing Deployment', () => {
  const registration = registrationOf(
    '    existing: {selector: {app: x}, port: web, deployment: {name: theirs, container: main, args: {add: [--b], replace: [--v=2]}}}',
  );
  const objects = manifestsToRegister(registration, issued).map(({ object }) => object);

  const deploymentWith = (present: readonly string[] | undefined): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'theirs', namespace: 'example' },
    spec: {
      template: {
        spec: {
          containers: [
            { name: 'sidecar', args: ['--x'] },
            { name: 'main', args: present },
          ],
        },
      },
    },
  });

  const complete = async (found: KubeObject | undefined): Promise<readonly KubeObject[]> => {
    const cluster = await clusterOf(({ url }, response) => (found ? answer(response, 200, found) : answer(response, 404, notFound(url))));
    return completeExistingDeployment(cluster, registration, objects, never);
  };

  const certificateFlags = ['--tls-cert-file=/var/run/serving-cert/tls.crt', '--tls-private-key-file=/var/run/serving-cert/tls.key'];

  test.each([
    ['arguments', ['--a', '--v', '4'], ['--a', '--v', '2', '--b', ...certificateFlags]],
    ['no arguments', undefined, ['--v=2', '--b', ...certificateFlags]],
    [
      'another certificate',
      ['--v=2', '--tls-cert-file=/x/y', '--tls-private-key-file', '/x/z', '--b'],
      ['--v=2', ...certificateFlags, '--b'],
    ],
    ['arguments that are complete', [...certificateFlags, '--b', '--v=2'], [...certificateFlags, '--b', '--v=2']],
  ])('with %s', async (_, present, args) => {
    const completed = await complete(deploymentWith(present));
    expect(completed.map(({ kind }) => kind)).toEqual(objects.map(({ kind }) => kind));
    const deployment = completed.find(({ kind }) => kind === 'Deployment');
    expect(deployment).toMatchObject({ spec: { template: { spec: { containers: [{ name: 'main', args }] } } } });
    expect(completed.filter((object) => object !== deployment)).toEqual(objects.filter(({ kind }) => kind !== 'Deployment'));
  });

  test.each([
    ['that does not exist', undefined, 'Deployment "theirs" not found in namespace "example"'],
    [
      'without the container',
      { ...deploymentWith([]), spec: { template: { spec: { containers: [{ name: 'other' }] } } } },
      'container "main" not found in Deployment "theirs" in namespace "example": it has "other"',
    ],
  ])('%s is refused with exit code 1, because the cluster may change', async (_, found, message) => {
    const error = await complete(found).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ exitCode: Exit.findings, message });
    expect((error as RefusedError).fix).toContain('spec.server.existing.deployment');
  });
});

test('a registration without an existing Deployment sends no request', async () => {
  const registration = registrationOf('    image: x');
  const objects = manifestsToRegister(registration, issued).map(({ object }) => object);
  const cluster = await clusterOf((_, response) => answer(response, 500, {}));
  expect(await completeExistingDeployment(cluster, registration, objects, never)).toBe(objects);
});
