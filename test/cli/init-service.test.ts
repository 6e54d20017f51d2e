import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { kubeconfig, type Received, answer as reply, serve } from '../unit/cluster/kube-api.ts';
import { folder } from '../unit/project/folder.ts';
import { shell } from './apisvc.ts';
import { hasTmux, terminal } from './tmux.ts';

beforeEach((context) => context.skip(!hasTmux, 'NOT TESTED: the prompts of init (needs tmux)'));

describe('a Service in the current cluster', () => {
  const service = { metadata: { name: 'demo', namespace: 'apis' }, spec: { selector: { app: 'demo', tier: 'api' } } };
  const pod = { metadata: { name: 'demo-1', namespace: 'apis' }, spec: { containers: [{ image: 'example.com/api:v7' }] } };

  /**
   * Starts a cluster with these Services.
   * @returns a folder with its kubeconfig, and the requests
   */
  async function withServices(
    services: readonly object[],
    user: object = {},
    pods: readonly object[] = [pod],
  ): Promise<{ cwd: string; received: Received[] }> {
    const received: Received[] = [];
    const url = await serve((request, response) => {
      received.push(request);
      reply(response, 200, { metadata: {}, items: request.url.includes('/pods') ? pods : services });
    });
    const cwd = folder();
    writeFileSync(join(cwd, 'config'), JSON.stringify({ ...kubeconfig(url), users: [{ name: 'test', user }] }));
    return { cwd, received };
  }
  const init = 'KUBECONFIG=config; export KUBECONFIG; apisvc init demo --api my.example.com/v1';

  test('suggests its namespace and the image of its pods', async () => {
    const { cwd, received } = await withServices([service]);
    const screen = terminal(init, cwd);
    const seen = await screen.until(/\? Container image of the server \(example\.com\/api:v7\)/);
    expect(seen).toContain('Service apis/demo exists (context "test"). The prompts suggest its settings.');
    expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /api/v1/services?fieldSelector=metadata.name%3Ddemo',
      'GET /api/v1/namespaces/apis/pods?labelSelector=app%3Ddemo%2Ctier%3Dapi',
    ]);
    screen.type('Enter');
    await screen.until(/✔ Container image of the server example\.com\/api:v7\n\? Name of the server \(demo\)/);
    screen.type('Enter');
    await screen.until(/\? Namespace \(apis\)/);
  });

  test.each([
    ['two Services have the name', [service, { ...service, metadata: { name: 'demo', namespace: 'other' } }], {}, ''],
    ['it is in another namespace than --namespace', [service], {}, ' -n other'],
    [
      'credentials need a program',
      [service],
      { exec: { command: 'false', apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never' } },
      '',
    ],
  ])('suggests nothing if %s', async (_, services, user, more) => {
    const { cwd } = await withServices(services, user);
    expect(await terminal(init + more, cwd).until(/\? Container image of the server\n/)).not.toMatch(/Service|error/);
  });

  test.each([
    ['has two containers', [{ ...pod, spec: { containers: [...pod.spec.containers, ...pod.spec.containers] } }]],
    ['has an image with control characters', [{ ...pod, spec: { containers: [{ image: 'a\u001b[31mb' }] } }]],
    ['does not exist', []],
  ])('suggests no image if its pod %s', async (_, pods) => {
    const { cwd } = await withServices([service], {}, pods);
    await terminal(init, cwd).until(/Service apis\/demo exists[\s\S]*\? Container image of the server\n/);
  });

  test('does not delay the prompts if the cluster does not answer', async () => {
    const url = await serve(() => {});
    const cwd = folder();
    writeFileSync(join(cwd, 'config'), JSON.stringify(kubeconfig(url)));
    expect(await terminal(init, cwd).until(/\? Container image of the server\n/)).not.toContain('error');
  });

  test('Ctrl-C during the lookup: exit 130', async () => {
    let asked = false;
    const url = await serve(() => {
      asked = true;
    });
    const cwd = folder();
    writeFileSync(join(cwd, 'config'), JSON.stringify(kubeconfig(url)));
    const screen = terminal(`trap : INT; ${init}`, cwd);
    await expect.poll(() => asked, { timeout: 20_000, interval: 20 }).toBe(true);
    screen.type('C-c');
    expect(await screen.until(/exit code/)).toMatch(/error: interrupted\nexit code 130$/);
    expect(readdirSync(cwd)).toEqual(['config']);
  });

  test('is not looked up without prompts', async () => {
    const { cwd, received } = await withServices([service]);
    const { code, stderr } = await shell('"$apisvc" init demo --api my.example.com/v1', cwd, { KUBECONFIG: 'config' });
    expect({ code, stderr }).toEqual({ code: 2, stderr: 'error: required flag "--image" not set\nfix: Add --image IMAGE.\n' });
    expect(await terminal(`${init} --yes`, cwd).until(/exit code/)).toContain('exit code 2');
    expect(received).toEqual([]);
  });
});
