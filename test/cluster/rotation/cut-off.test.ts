import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Document } from 'yaml';
import { type AnyApiProject, closingWhenReady, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc } from '../harness/commands.ts';
import { processesWith } from '../harness/processes.ts';
import { kubectlOk, waitForOutput } from '../harness/projects.ts';
import { groupOf } from '../harness/registrations.ts';
import { expectAgreement, placesOf, underLoad } from '../harness/rotations.ts';
import { signalAfter, untilStopped } from '../harness/signal-after.ts';
import { isShort } from '../harness/thorough.ts';

/** A pod whose machine is cut off in the middle of a rotation keeps the old CA trusted. */

const name = 'cut-off';
/** How long it is cut off, in milliseconds. */
const cutOffMs = isShort ? 10_000 : 30_000;
let project: AnyApiProject;

beforeAll(async () => {
  // The kubelet of a machine that is cut off restarts no container by what this one sees.
  const edit = (document: Document) => document.setIn(['spec', 'server', 'probes', 'liveness'], false);
  project = await installAnyApiProject({ name, replicas: 3, flags: closingWhenReady, edit });
});

afterAll(() => removeAnyApiProject(project, name));

/**
 * Stops the server of one pod, and rejects every connection to the pod. All pods of the tests are
 * on one node, which the other specs need.
 * @returns the name of the pod, its address, and a function that brings it back
 */
async function cutOff() {
  const [pid] = processesWith(`--group-version=${groupOf(name)}/v1`);
  if (pid === undefined) throw new Error('no pod runs');
  const pod = /(?:^|\0)HOSTNAME=([^\0]+)/.exec(readFileSync(`/proc/${pid}/environ`, 'utf8'))?.[1] ?? '';
  const address = await kubectlOk(['get', 'pod', '-n', name, pod, '-o', 'jsonpath={.status.podIP}']);
  const rule = 'INPUT -i eth0 -p tcp --dport 8443 -j REJECT --reject-with tcp-reset';
  const script = `iptables --wait -A ${rule} && echo cut off && read -r _; iptables --wait -D ${rule}`;
  const shell = execa('nsenter', [`--net=/proc/${pid}/ns/net`, 'sh', '-c', script], { stdin: 'pipe' });
  await shell.iterable()[Symbol.asyncIterator]().next();
  // The last requests that reached the server are answered.
  await pause(500);
  process.kill(pid, 'SIGSTOP');
  const bringBack = async (): Promise<void> => {
    if (processesWith(`--group-version=${groupOf(name)}/v1`).includes(pid)) process.kill(pid, 'SIGCONT');
    shell.stdin?.end('\n');
    await shell;
  };
  return { pod, address, bringBack };
}

test('a pod that is cut off for a while is named and awaited, and both CAs stay trusted', async () => {
  let lost = { pod: '', address: '' };
  const report = await underLoad(project, async () => {
    // Otherwise the pod could serve the new certificate before it is cut off.
    const env = signalAfter(/==> Writing Secret/, 'SIGSTOP');
    const running = apisvc(['rotate', '-C', project.dir, '--ca', '--soak', '2s'], { timeout: 200_000, env });
    await waitForOutput(running, /==> Writing Secret/);
    await untilStopped(running);
    const { bringBack, ...cut } = await cutOff().finally(() => running.kill('SIGCONT'));
    lost = cut;
    try {
      await waitForOutput(running, new RegExp(`2 of 3 serve it; ${cut.address}:8443 \\(pod ${cut.pod}\\): `));
      await pause(cutOffMs);
      const { bundle, pending } = await placesOf(project, name);
      expect({ trusted: bundle.length, pending, exitCode: running.exitCode }).toEqual({ trusted: 2, pending: true, exitCode: null });
    } finally {
      await bringBack();
    }
    const { exitCode, stderr } = await running;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  });
  // kubelet needs some seconds to see that the pod is not ready.
  expect(report.byText.filter(({ text }) => !text.includes(lost.address))).toEqual([]);
  await expectAgreement(project, name);
});
