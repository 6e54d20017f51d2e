import { expect, test } from 'vitest';
import { grant, grantRule } from './granting.ts';
import { installed, name, withoutCa } from './installed.ts';

/** What `secure` says to a user without permissions. */

test('all missing permissions are named at once, and granting them is enough', async () => {
  const { run, objects, cluster } = await installed(withoutCa);
  const before = await objects();
  // Otherwise --undo waits for two minutes.
  await grantRule(cluster, 'jane', { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['list', 'watch'] });
  await grantRule(cluster, 'jane', { nonResourceURLs: ['/metrics'], verbs: ['get'] });
  const jane = async (...args: string[]) => {
    const ran = await run('secure', name, '--yes', ...args, '--as', 'jane');
    expect(ran.stderr).not.toContain('undefined');
    return ran;
  };
  /** Runs the command until nothing is missing. */
  const granted = async (...args: string[]): Promise<readonly (readonly string[])[]> => {
    const rounds: (readonly string[])[] = [];
    for (;;) {
      const ran = await jane(...args);
      if (ran.code === 0) return rounds;
      expect(ran).toMatchObject({
        code: 3,
        stderr: expect.stringMatching(
          /error: user "jane" is not allowed to .*\nnothing was changed\nfix: A cluster administrator can grant/s,
        ),
      });
      if (args.length === 0) expect(await objects()).toEqual(before);
      rounds.push(await grant(cluster, ran.stderr));
    }
  };
  const [apis, server, secret, ...more] = await granted();
  const api = `apiservices ${name}`;
  expect(apis?.toSorted()).toEqual([`get ${api}`, 'list *', 'list apiservices', `patch ${api}`, 'watch apiservices']);
  expect(server?.toSorted()).toEqual([
    'create pods/portforward',
    'create secrets',
    'get deployments',
    'get pods/portforward',
    'get replicasets',
    'get secrets demo-tls',
    'get services demo',
    'list deployments',
    'list endpointslices',
    'list pods',
    'patch deployments',
    'patch secrets demo-tls',
    'watch deployments',
  ]);
  // The server mounts it, which nobody knows without its pods.
  expect(secret).toEqual(['get secrets their-cert']);
  expect(more).toEqual([]);

  const rounds = await granted('--undo');
  expect(rounds).toEqual([['list secrets', 'delete secrets demo-tls']]);
  expect(await objects()).toEqual(before);
});

test('a user who may get the APIService is told all of it in one message', async () => {
  const { run, cluster } = await installed(withoutCa);
  await grantRule(cluster, 'jane', { apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices'], verbs: ['get'] });
  const { code, stderr } = await run('secure', name, '--diff', '--as', 'jane');
  expect({ code, stderr }).toMatchObject({
    code: 3,
    stderr: expect.stringMatching(/\nEOF\nThen run the same command again\. It may then ask for more permissions/),
  });
  expect(await grant(cluster, stderr)).toEqual(expect.arrayContaining(['list apiservices', 'list pods', 'patch deployments']));
  const again = await run('secure', name, '--diff', '--as', 'jane');
  expect(await grant(cluster, again.stderr)).toEqual(['get secrets their-cert']);
  const { code: planned, stdout } = await run('secure', name, '--diff', '--as', 'jane');
  expect({ planned, stdout }).toMatchObject({ planned: 1, stdout: expect.stringContaining('deployment/demo/demo') });
});
