import { join } from 'node:path';
import { expect, test } from 'vitest';
import { explainInterrupt, withCluster } from '../../../src/commands/cluster.ts';
import { InterruptedError, RefusedError } from '../../../src/errors.ts';
import { filesOf, kubeconfig, never } from '../cluster/kube-api.ts';

/** Runs work that fails with this fix. @returns the fix that the user gets */
async function fixOf(fix: string, work?: 'connect', directory?: string): Promise<string | undefined> {
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'no-such-plugin', interactiveMode: 'Never', installHint: fix };
  const users = work === 'connect' ? { users: [{ name: 'test', user: { exec } }] } : {};
  const dir = filesOf({ kubeconfig: JSON.stringify({ ...kubeconfig('http://127.0.0.1:1'), ...users }) });
  const flags = {
    kubeconfig: join(dir, 'kubeconfig'),
    context: 'test',
    timeout: 10_000,
    ...(directory === undefined ? {} : { directory }),
  };
  const failing = withCluster(flags, { env: {}, interrupt: never }, 'registering', async () => {
    throw new RefusedError('no', { fix });
  });
  const error = await failing.catch((reason: unknown) => reason);
  return (error as RefusedError).fix?.replaceAll(dir, 'DIR');
}

test('the commands of a fix get the flags that select the cluster', async () => {
  const flags = '--kubeconfig=DIR/kubeconfig --context=test';
  expect(await fixOf('Find the cause: kubectl -n a logs b; kubectl -n a get pods. Then run: apisvc verify v1.a')).toBe(
    `Find the cause: kubectl ${flags} -n a logs b; kubectl ${flags} -n a get pods. Then run: apisvc verify ${flags} v1.a`,
  );
  expect(await fixOf('kubectl get pods')).toBe(`kubectl ${flags} get pods`);
});

test('the commands of a fix get the directory of the project, unless they name an APIService', async () => {
  const flags = '--kubeconfig=DIR/kubeconfig --context=test';
  expect(await fixOf('Roll back: apisvc rotate --abort\nOr find the cause: apisvc verify v1.a', undefined, 'a b')).toBe(
    `Roll back: apisvc rotate ${flags} -C 'a b' --abort\nOr find the cause: apisvc verify ${flags} v1.a`,
  );
});

test('a fix without such a command stays as it is', async () => {
  for (const fix of ['Set a longer --timeout.', 'Run apisvc explain bundle/expired.', 'Use kubectl.']) expect(await fixOf(fix)).toBe(fix);
});

test('the install hint of a credential plugin stays as it is', async () => {
  expect(await fixOf('kubectl krew install no-such-plugin', 'connect')).toBe('kubectl krew install no-such-plugin');
});

test('the fix after Ctrl-C repeats the flags that select the cluster, and other errors stay', async () => {
  const flags = { kubeconfig: 'a file', context: 'test', directory: 'demo' };
  const fix = 'Run the same command again to continue, or roll back: apisvc secure v1.a --undo. Or rotate: apisvc rotate';
  const explained = (error: Error) => {
    try {
      return explainInterrupt(error, flags, fix);
    } catch (thrown) {
      return thrown;
    }
  };
  expect(explained(new InterruptedError('SIGTERM'))).toMatchObject({
    exitCode: 143,
    fix: "Run the same command again to continue, or roll back: apisvc secure '--kubeconfig=a file' --context=test v1.a --undo. Or rotate: apisvc rotate '--kubeconfig=a file' --context=test -C demo",
  });
  const other = new RefusedError('no', { fix });
  expect(explained(other)).toBe(other);
  expect(other.fix).toBe(fix);
});
