import { expect, test } from 'vitest';
import { resourcePath, resources } from '../../src/cluster/resources.ts';
import { installed, type Json, name, withoutCa } from './installed.ts';

/** `secure` on a Deployment whose strategy Recreate leaves no pod for a while. */

const { signal } = new AbortController();

const recreate = (object: Json): void => {
  if (object.kind === 'Deployment') object.spec.strategy = { type: 'Recreate' };
};

test('a run that was killed while no pod runs is continued, and --undo ends when the API is Available', async () => {
  const { run, objects, killAt, cluster } = await installed((object) => {
    withoutCa(object);
    recreate(object);
  });
  const before = await objects();
  const isAvailable = async (): Promise<boolean> => {
    const { body } = await cluster.request({ path: resourcePath(resources.APIService, undefined, name), signal });
    return JSON.parse(body).status.conditions.some(({ type, status }: Json) => type === 'Available' && status === 'True');
  };
  await killAt('Waiting for the rollout', 'secure', name, '--yes');
  const { code, stderr } = await run('secure', name, '--yes');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(await isAvailable()).toBe(true);

  const undone = await run('secure', name, '--undo', '--yes', '-o', 'json');
  expect(await isAvailable()).toBe(true);
  expect({ code: undone.code, stderr: undone.stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(undone.stdout)).toMatchObject({ outcome: 'undone', diagnosis: { verdict: 'healthy', apis: [{ name }] } });
  expect(await objects()).toEqual(before);
});

test('the Secret of a server that restarts is found when its pods have started', async () => {
  const { run, cluster } = await installed(recreate);
  const body = { spec: { template: { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-11-28T10:00:00Z' } } } } };
  const path = resourcePath(resources.Deployment, 'demo', 'demo');
  expect(await cluster.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal })).toMatchObject({
    status: 200,
  });
  const { code, stdout, stderr } = await run('secure', name, '--yes', '-o', 'json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(JSON.parse(stdout)).toMatchObject({
    secret: 'demo/their-cert',
    applied: [{ object: `apiservice/${name}`, change: 'configured' }],
  });
});

test('a server that is scaled to 0 is refused at once, with the command that starts it', async () => {
  const { run, cluster } = await installed(withoutCa);
  const path = resourcePath(resources.Deployment, 'demo', 'demo');
  const body = { spec: { replicas: 0 } };
  await cluster.request({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body, signal });
  await expect
    .poll(async () => (await run('secure', name, '--yes')).stderr, { timeout: 60_000 })
    .toContain(
      'error: Service demo/demo selects no running pod\nfix: Start the server first: kubectl -n demo scale deployment/demo --replicas=1\n',
    );
});
