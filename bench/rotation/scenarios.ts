import { expect } from 'vitest';
import { apisvc } from '../../test/cluster/harness/commands.ts';
import { kubectlOk, waitForOutput } from '../../test/cluster/harness/projects.ts';
import type { Registered, ServerName } from './servers.ts';

/** What happens under load. It ends with an API that works. */
export interface Scenario {
  readonly run: (server: Registered) => Promise<unknown>;
  readonly servers: readonly ServerName[];
  /** Whether a changed Secret must reach running pods, which the kubelet does at its next sync. */
  readonly waitsForKubelet: boolean;
}

const reloading: readonly ServerName[] = ['sample-apiserver', 'closes connections'];
const ending: readonly ServerName[] = [
  'metrics-server',
  'keeps connections',
  'keeps connections, HTTP/1.1',
  'closes connections, exits immediately',
  'keeps connections, exits immediately',
];

const insecure: readonly ServerName[] = ['insecure, closes connections', 'insecure, keeps connections'];

/** Scenarios by their names in the table. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  'init --force-keys, kubectl apply': { run: replaceAtOnce, servers: reloading, waitsForKubelet: true },
  rotate: { run: ({ dir }) => run('rotate', '-C', dir), servers: reloading, waitsForKubelet: true },
  'rotate --ca': { run: ({ dir }) => run('rotate', '--ca', '-C', dir, '--soak', '10s'), servers: reloading, waitsForKubelet: true },
  'rotate --ca, --abort at each step': { run: abortAtEachStep, servers: reloading, waitsForKubelet: true },
  'rotate --ca, then --abort': { run: abortHalfWay, servers: reloading, waitsForKubelet: true },
  secure: { run: (server) => secure(server), servers: insecure, waitsForKubelet: false },
  'secure --undo': { run: (server) => secure(server, '--undo'), servers: insecure, waitsForKubelet: false },
  'rolling restart': { run: restart, servers: [...reloading, ...ending], waitsForKubelet: false },
};

/** A rotation can wait for the kubelet and for kube-apiserver. */
const timeout = 550_000;

async function run(...args: string[]): Promise<void> {
  const { exitCode, stderr } = await apisvc([...args, '--timeout', '530s'], { timeout });
  expect({ args, exitCode, stderr }).toMatchObject({ exitCode: 0 });
}

/** The naive way: the new Secret and the new caBundle at once. */
async function replaceAtOnce({ dir }: Registered): Promise<void> {
  expect(await apisvc(['init', dir, '--force-keys', '--yes'])).toMatchObject({ exitCode: 0 });
  const { stdout } = await apisvc(['render', '-C', dir, '--secrets', 'include', '-o', 'json']);
  // As the manager of apisvc, so that the next scenario may change the same fields.
  await kubectlOk(['apply', '--server-side', '--force-conflicts', '--field-manager=apisvc', '-f', '-'], JSON.parse(stdout));
  await run('verify', '-C', dir, '--wait');
}

/** Interrupts a rotation when every endpoint serves by the new CA, and goes back. */
function abortHalfWay(server: Registered): Promise<void> {
  return abortAt(server, /==> Watching all endpoints/, '10s');
}

/**
 * Interrupts a rotation at the start of each step from which there is a way back, and goes back.
 */
async function abortAtEachStep(server: Registered): Promise<void> {
  const titles = [
    'Issuing',
    'Trusting both',
    'Waiting for every kube-apiserver',
    'Writing Secret',
    'Waiting until every endpoint',
    'Watching',
  ];
  for (const title of titles) await abortAt(server, new RegExp(`==> ${title}`), '1s');
}

async function abortAt({ dir }: Registered, step: RegExp, soak: string): Promise<void> {
  const rotating = apisvc(['rotate', '--ca', '-C', dir], { timeout });
  await waitForOutput(rotating, step);
  rotating.kill('SIGINT');
  await rotating;
  await run('rotate', '--abort', '-C', dir, '--soak', soak);
}

/** Makes the project in the folder of the server, or undoes what it did. */
async function secure({ dir, apiService }: Registered, ...flags: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await apisvc(['secure', apiService, ...flags, '--yes', '--timeout', '530s'], { cwd: dir, timeout });
  expect({ flags, exitCode, stderr }).toMatchObject({ exitCode: 0 });
}

/** Ends when the old pods are gone, because they still get requests after their deletion. */
async function restart({ namespace, deployment }: Registered): Promise<void> {
  const selected = ['-n', namespace, '-l', `app.kubernetes.io/name=${deployment}`, '-o', 'name'];
  const old = (await kubectlOk(['get', 'pods', ...selected])).trim().split('\n');
  await kubectlOk(['rollout', 'restart', `deployment/${deployment}`, '-n', namespace]);
  const status = () => kubectlOk(['rollout', 'status', `deployment/${deployment}`, '-n', namespace, '--watch=false']);
  await expect.poll(status, { timeout: 300_000, interval: 1_000 }).toContain('successfully rolled out');
  await kubectlOk(['wait', '--for=delete', '-n', namespace, '--timeout=60s', ...old]);
}
