import type { X509Certificate } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getJson } from '../harness/administrator.ts';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../harness/any-api-project.ts';
import { kubectl } from '../harness/commands.ts';
import { kubectlOk, waitForOutput } from '../harness/projects.ts';
import { certificatesOf, expectAgreement, rotateOk, secretPath, startCaRotation } from '../harness/rotations.ts';

/**
 * A webhook whose caBundle cert-manager copies from the rotated Secret. cert-manager does not run
 * here: a stand-in copies as its documentation says
 * (https://cert-manager.io/docs/concepts/ca-injector/), and takes seconds for it.
 */

const name = 'copied-ca';
const webhook = `validatingwebhookconfiguration/${name}`;
let project: AnyApiProject;

const secretOf = async () => (await getJson(secretPath(name))).data;
const copyOf = async (): Promise<string> =>
  (await getJson(`/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${name}`)).webhooks[0].clientConfig.caBundle;

beforeAll(async () => {
  project = await installAnyApiProject({ name, replicas: 1 });
  await kubectlOk(['annotate', 'secret', '-n', name, `${name}-tls`, 'cert-manager.io/allow-direct-injection=true']);
  await kubectlOk(['apply', '-f', '-'], {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name, annotations: { 'cert-manager.io/inject-ca-from-secret': `${name}/${name}-tls` } },
    webhooks: [
      {
        name: `${name}.example.com`,
        clientConfig: { service: { namespace: name, name, path: '/' }, caBundle: (await secretOf())['ca.crt'] },
        rules: [{ apiGroups: [`${name}.example.com`], apiVersions: ['v1'], operations: ['CREATE'], resources: ['things'] }],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        failurePolicy: 'Ignore',
      },
    ],
  });
});

afterAll(async () => {
  await kubectl(['delete', webhook, '--ignore-not-found']);
  await removeAnyApiProject(project, name);
});

/**
 * Copies `ca.crt` seconds after it changed, while something happens.
 * @returns the moments at which the copy did not verify the certificate in the Secret
 */
async function whileCopying(happen: () => Promise<unknown>): Promise<{ readonly rejected: number; readonly copied: number }> {
  const over = new AbortController();
  let [rejected, copied] = [0, 0];
  const copying = (async () => {
    while (!over.signal.aborted) {
      // The copy is read first: it may only be older than the certificate.
      const copy = await copyOf();
      const secret = await secretOf();
      if (!verifies(copy, secret['tls.crt'])) rejected += 1;
      if (copy !== secret['ca.crt']) {
        await sleep(3_000);
        const patch = [{ op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value: secret['ca.crt'] }];
        await kubectlOk(['patch', webhook, '--type=json', '-p', JSON.stringify(patch)]);
        copied += 1;
      }
      await sleep(50);
    }
  })();
  try {
    await happen();
  } finally {
    over.abort();
    await copying;
  }
  return { rejected, copied };
}

/** Whether one of the CAs signed the certificate. Both are in base64. */
function verifies(copy: string, chain: string): boolean {
  const [leaf] = certificatesOf(Buffer.from(chain, 'base64').toString());
  if (!leaf) return false;
  return certificatesOf(Buffer.from(copy, 'base64').toString()).some((ca: X509Certificate) => leaf.verify(ca.publicKey));
}

test('it trusts the new CA before the Secret has the certificate, and only that CA at the end', async () => {
  const { rejected, copied } = await whileCopying(async () => {
    const { stderr } = await rotateOk(project, '--ca', '--soak', '0s', '--nudge');
    const order = [
      'Trusting both CAs',
      `secret/${name}/${name}-tls`,
      'Waiting for every kube-apiserver',
      'Writing Secret',
      `secret/${name}/${name}-tls`,
    ];
    expect(stderr.replaceAll('\n', ' ')).toMatch(new RegExp(order.join('.*')));
    await expectAgreement(project, name);
  });
  expect({ rejected, isCopied: copied > 0 }).toEqual({ rejected: 0, isCopied: true });
});

test('it trusts the certificate also on the way back, in a project without the new one', async () => {
  const { rejected } = await whileCopying(async () => {
    const running = startCaRotation(project, '60s');
    await waitForOutput(running, /==> Waiting until every endpoint/);
    running.kill('SIGINT');
    expect(await running).toMatchObject({ exitCode: 130 });
    // As on another machine, which does not have the new certificate.
    rmSync(join(project.dir, 'certs', 'next'), { recursive: true });
    await rotateOk(project, '--abort', '--soak', '0s', '--nudge');
    await expectAgreement(project, name);
  });
  expect(rejected).toBe(0);
});
