import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, describe, expect, test } from 'vitest';
import { startSession } from '../../docs/session.ts';
import { expectTranscript, readPage, transcript } from '../../docs/transcripts.ts';
import { apisvc, environment, kubectl } from '../harness/commands.ts';
import { program } from '../harness/programs.ts';
import { emptyFolder, kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { expectFindings, valid } from '../laboratory/expect-findings.ts';

/**
 * components/dns-webhook, which is built with cert-manager 1.21.2, from its preset and with the
 * commands of docs/dns-webhooks.md. cert-manager itself does not run: kubectl sends the challenges.
 */

const group = 'acme.example.com';
const name = `v1alpha1.${group}`;
const solver = `/apis/${group}/v1alpha1/memory`;
const certManager = 'system:serviceaccount:cert-manager:cert-manager';

const home = emptyFolder();
const dir = join(home, 'dns-webhook');
/** The challenge of the page. */
const [, challenge = ''] = /^```json\n([\s\S]*?)^```$/m.exec(readPage('docs/dns-webhooks.md')) ?? [];
writeFileSync(join(home, 'challenge.json'), challenge);
const { run } = startSession(home, environment(cluster.kubeconfig));

/** Sends a challenge as a ServiceAccount. */
const send = (action: 'Present' | 'CleanUp', as = certManager) => {
  const { request, ...payload } = JSON.parse(challenge);
  const input = JSON.stringify({ ...payload, request: { ...request, action } });
  return kubectl(['create', '--raw', solver, '-f', '-', '--as', as], { input });
};

/** Presents and cleans up a record until something else has happened. @returns how often */
async function challengesDuring(happening: Promise<unknown>): Promise<number> {
  let over = false;
  const end = () => {
    over = true;
  };
  happening.then(end, end);
  let sent = 0;
  for (; !over; sent += 2) {
    for (const action of ['Present', 'CleanUp'] as const) {
      const { exitCode, stdout, stderr } = await send(action);
      expect({ action, exitCode, stderr }).toMatchObject({ exitCode: 0 });
      expect(JSON.parse(stdout).response).toMatchObject({ success: true });
    }
  }
  await happening;
  return sent;
}

afterAll(() => apisvc(['unregister', '-C', dir, '--yes']));

describe('a DNS01 webhook of cert-manager', () => {
  test('is registered with init and register', async () => {
    await expectTranscript(transcript('node', 'dns-webhook'), run);
  });

  test('passes verify, which sends no list request', async () => {
    const report = await expectFindings(
      valid('dns-webhook', 'nothing: the server is a DNS01 webhook from its preset, built with cert-manager 1.21.2'),
      name,
    );
    expect(report.findings).toEqual([]);
    const { resources } = JSON.parse(await kubectlOk(['get', '--raw', `/apis/${group}/v1alpha1`]));
    expect(resources).toMatchObject([{ name: 'memory', kind: 'ChallengePayload', verbs: ['create'] }]);
  });

  test('answers the challenges of cert-manager, and no others', async () => {
    await expectTranscript(transcript('node', 'dns-webhook-challenge'), run);
    const other = await send('CleanUp', 'system:serviceaccount:default:default');
    expect({ exitCode: other.exitCode, stderr: other.stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(
        `User "system:serviceaccount:default:default" cannot create resource "memory" in API group "${group}" at the cluster scope`,
      ),
    });
    const { stdout } = await send('CleanUp');
    expect(JSON.parse(stdout).response).toMatchObject({ success: true });
  });

  test('loses no challenge while its CA and its certificate are rotated', async () => {
    const rotating = apisvc(['rotate', '--ca', '-C', dir, '--soak', '1s', '--timeout', '80s']);
    expect(await challengesDuring(rotating)).toBeGreaterThan(2);
    const { exitCode, stderr } = await rotating;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const verified = await apisvc(['verify', '-C', dir]);
    expect({ exitCode: verified.exitCode, stdout: verified.stdout }).toMatchObject({ exitCode: 0 });
  });

  test('has a chart that helm lint accepts', async () => {
    const chart = join(dir, 'chart');
    const { exitCode, stderr } = await apisvc(['render', '-C', dir, '-o', 'helm', '--output-dir', chart]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    const options = { env: environment(cluster.kubeconfig), extendEnv: false, reject: false };
    const lint = await execa(program(cluster.programs, 'helm-4'), ['lint', chart, '--strict', '--namespace', 'cert-manager'], options);
    expect({ exitCode: lint.exitCode, stdout: lint.stdout }).toMatchObject({ exitCode: 0 });
  });
});
