import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Code } from '../../../src/diagnosis/catalog.ts';
import type { Made } from '../../unit/pki/certificates.ts';
import { expired, makeCa, makeLeaf, pair, pem } from '../harness/certificates.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { emptyFolder, getObject, kubectlOk } from '../harness/projects.ts';
import { makeSampleProject } from '../harness/sample-project.ts';
import { expectFindings, valid } from '../laboratory/expect-findings.ts';

/**
 * Two working pods of a Deployment and a broken third pod behind one Service. Most requests
 * succeed, so only a check of every pod finds the broken one.
 */

const namespace = 'one-bad-replica';
const name = 'v1beta1.wardle.example.com';
const host = `api.${namespace}.svc`;
const inNamespace = ['--namespace', namespace];
const dir = emptyFolder();

const ca = await makeCa('the CA');
const oldCa = await makeCa('the CA');

beforeAll(async () => {
  const [certificate, key] = [join(dir, 'given.crt'), join(dir, 'given.key')];
  writeFileSync(certificate, pem(ca));
  writeFileSync(key, pair(ca).key, { mode: 0o600 });
  const project = await makeSampleProject({
    name: namespace,
    api: 'wardle.example.com/v1beta1',
    flags: ['--ca-cert', certificate, '--ca-key', key, '--lifetime', '60d'],
    edit: (document) => document.setIn(['spec', 'server', 'replicas'], 2),
  });
  const { exitCode, stderr } = await apisvc(['register', '-C', project, '--timeout', '80s']);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
});

afterEach(async () => {
  await kubectlOk(['delete', 'pod', 'third', ...inNamespace, '--grace-period=0', '--force', '--ignore-not-found']);
});

afterAll(async () => {
  await kubectl(['delete', 'apiservice', name, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
});

interface Third {
  /** Its serving certificate. The default is that of the other pods. */
  readonly leaf?: Made;
  /** Its port. If set, the pod has no probes. */
  readonly port?: number;
  readonly flag?: string;
}

/**
 * Starts a pod that the Service selects, from the pod template of the Deployment with these
 * changes.
 */
async function startThird({ leaf, port, flag }: Third): Promise<void> {
  // biome-ignore lint/suspicious/noExplicitAny: a Deployment as kubectl prints it.
  const deployment = (await getObject('deployment', namespace, ...inNamespace)) as any;
  const { labels } = deployment.spec.template.metadata;
  const { containers, volumes, ...spec } = deployment.spec.template.spec;
  const [{ args, ...server }, etcd] = containers;
  if (leaf) {
    const { certificates, key } = pair(leaf);
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'third', namespace } };
    await kubectlOk(['apply', '-f', '-'], { ...secret, stringData: { 'tls.crt': certificates, 'tls.key': key } });
    volumes[0].secret.secretName = 'third';
  }
  const unprobed = { startupProbe: undefined, livenessProbe: undefined, readinessProbe: undefined };
  const changed = [
    ...args.map((arg: string) => (port ? arg.replace(/^--secure-port=.*/, `--secure-port=${port}`) : arg)),
    ...(flag ? [flag] : []),
  ];
  const third = { ...server, args: changed, ...(port ? unprobed : {}) };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'third', namespace, labels } };
  await kubectlOk(['create', '-f', '-'], { ...pod, spec: { ...spec, volumes, containers: [third, etcd] } });
}

/** Waits until three endpoints are ready, so that requests can reach the third pod. */
async function waitForEndpoints(): Promise<void> {
  await kubectlOk(['wait', ...inNamespace, '--for=condition=Ready', 'pod/third', '--timeout=85s']);
  const address = await kubectlOk(['get', 'pod', 'third', ...inNamespace, '-o=jsonpath={.status.podIP}']);
  const jsonpath = '-o=jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}';
  const ready = async () => {
    const addresses = (await kubectlOk(['get', 'endpointslices', ...inNamespace, jsonpath])).split(' ');
    // An earlier pod of this name had another address.
    return { count: addresses.length, third: addresses.includes(address) };
  };
  await expect.poll(ready, { timeout: 60_000 }).toEqual({ count: 3, third: true });
}

test.each<[string, Code, string, () => Promise<Third>]>([
  ['old-ca', 'cert/unknown-authority', 'has a certificate from an older CA', async () => ({ leaf: await makeLeaf(host, oldCa) })],
  ['expired', 'cert/expired', 'has an expired certificate', async () => ({ leaf: await makeLeaf(host, ca, { when: expired }) })],
  [
    'wrong-name',
    'cert/san-mismatch',
    'has a certificate for a different name',
    async () => ({ leaf: await makeLeaf('elsewhere.svc', ca) }),
  ],
  ['not-listening', 'endpoints/connection-refused', 'listens on a different port', async () => ({ port: 9443 })],
])('verify finds and names one broken pod of three (%s): %s', async (fault, code, how, third) => {
  await startThird(await third());
  await waitForEndpoints();
  const { findings } = await expectFindings({ name: `one-of-three-${fault}`, how: `one of three pods ${how}`, codes: [code] }, name);
  expect(findings[0]?.title.match(/\(pod [^)]+\)/g)).toEqual(['(pod third)']);
  // The other pods still respond.
  await expect
    .poll(() => kubectl(['get', '--raw', '/apis/wardle.example.com/v1beta1']), { timeout: 60_000 })
    .toMatchObject({ exitCode: 0 });
});

test('a crashing replica is only a warning, because it gets no requests', async () => {
  await startThird({ flag: '--no-such-flag' });
  const how = 'one of three pods starts its server with an unknown flag';
  const fault = { name: 'one-of-three-crashing', how, codes: ['endpoints/pod-crashing'] } as const;
  const text = /^third: last log line of .*unknown flag: --no-such-flag$/m;
  const { findings } = await expectFindings(fault, name, { withinMs: 90_000, text });
  expect(findings).toMatchObject([{ severity: 'warning', title: expect.stringContaining('pod third') }]);
});

test('verify has no findings without the third pod', async () => {
  // Its endpoint goes a moment after it.
  await expectFindings(valid('two-pods', 'nothing: two pods of one Deployment serve the API'), name, { withinMs: 60_000 });
});
