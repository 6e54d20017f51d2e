import { describe, expect, test } from 'vitest';
import { Exit, RefusedError } from '../../../src/errors.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { requireExisting } from '../../../src/operations/existing-deployment.ts';
import { answer, clusterOf, never, notFound } from '../cluster/kube-api.ts';
import { registrationOf } from '../manifests/fixture.ts';

describe("somebody else's Deployment", () => {
  const args = '[--a, --v=2]';
  const registration = registrationOf(
    `    existing: {selector: {app: x}, port: web, deployment: {name: theirs, container: main, args: ${args}}}`,
  );

  const holding = (present: readonly string[] | undefined, more: object = {}): KubeObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'theirs', namespace: 'example', ...more },
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
  /** As the server records who set the arguments of a container. */
  const setBy = (manager: string, container: string): object => {
    const fields = { 'f:containers': { [`k:{"name":"${container}"}`]: { '.': {}, 'f:args': {} } } };
    const fieldsV1 = { 'f:spec': { 'f:template': { 'f:spec': fields } } };
    return {
      managedFields: [
        { manager: 'kubectl', operation: 'Update', fieldsV1: {} },
        { manager, operation: 'Apply', fieldsV1 },
      ],
    };
  };

  const refusal = async (found: KubeObject | undefined): Promise<unknown> => {
    const cluster = await clusterOf(({ url }, response) => (found ? answer(response, 200, found) : answer(response, 404, notFound(url))));
    return requireExisting(cluster, registration, never).catch((reason: unknown) => reason);
  };

  test.each([
    ['that has fewer arguments', holding(['--a'])],
    ['that has none', holding(undefined)],
    ['that has a certificate of its own', holding(['--v=2', '--tls-cert-file=/x/y', '--tls-private-key-file', '/x/z', '--a'])],
    ['whose arguments apisvc applied last', holding(['--a', '--no-more'], setBy('apisvc', 'main'))],
  ])('%s is given the certificate', async (_, found) => {
    expect(await refusal(found)).toBeUndefined();
  });

  test.each([
    ['that is not there', undefined, /there is no Deployment example\/theirs/],
    [
      'without the container',
      { ...holding([]), spec: { template: { spec: { containers: [{ name: 'other' }] } } } },
      /has no container "main", only other/,
    ],
    ['with arguments that would be lost', holding(['--b=1', '--a', '--c']), /has arguments that apisvc\.yaml would take away: --b=1 --c$/],
    ['with one for another value', holding(['--a', '--v=4']), /would take away: --v=4$/],
    ['with arguments that somebody has changed since', holding(['--c'], setBy('kubectl-edit', 'main')), /would take away: --c$/],
    ['where apisvc set those of another container', holding(['--c'], setBy('apisvc', 'sidecar')), /would take away: --c$/],
  ])('%s is refused: a state of the cluster, not of the command', async (_, found, message) => {
    const error = await refusal(found);
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ exitCode: Exit.findings, message: expect.stringMatching(message) });
    expect((error as RefusedError).fix).toContain('spec.server.existing.deployment');
  });
});
