import { expect } from 'vitest';
import { apisvc } from '../../test/cluster/harness/commands.ts';
import { kubectlOk } from '../../test/cluster/harness/projects.ts';
import type { Registered } from './servers.ts';

/** What happens under load, by its name in the table. A scenario ends with an API that works. */
export const scenarios: Readonly<Record<string, (server: Registered) => Promise<unknown>>> = {
  /** The new Secret and the new caBundle at once. */
  'init --force-keys, register': async ({ dir }) => {
    await run(['init', dir, '--force-keys', '--yes']);
    await run(['register', '-C', dir, '--timeout', '180s']);
  },
  'rolling restart': restart,
};

async function run(args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await apisvc(args, { timeout: 190_000 });
  expect({ args, exitCode, stderr }).toMatchObject({ exitCode: 0 });
}

/** Ends when the old pods are gone, because they can still get requests while they terminate. */
async function restart({ namespace, deployment }: Registered): Promise<void> {
  const old = (await kubectlOk(['get', 'pods', '-n', namespace, '-l', `app.kubernetes.io/name=${deployment}`, '-o', 'name'])).trim();
  await kubectlOk(['rollout', 'restart', `deployment/${deployment}`, '-n', namespace]);
  await kubectlOk(['rollout', 'status', `deployment/${deployment}`, '-n', namespace, '--timeout=85s']);
  await kubectlOk(['wait', '--for=delete', '-n', namespace, '--timeout=60s', ...old.split('\n')]);
}
