import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Made } from '../../unit/pki/certificates.ts';
import { bygone, makeCa, makeLeaf, pair, pem } from '../harness/certificates.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { codesOf, emptyFolder, getObject, kubectlOk, verifyJson } from '../harness/projects.ts';
import { makeSampleProject } from '../harness/sample-project.ts';

/** Two good pods of a Deployment and a third that is none of it, behind one Service: most requests succeed, so that nothing but a look at each pod finds it. */

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
  /** What it serves; the same as the others without it. */
  readonly leaf?: Made;
  /** Where it listens, which is then not asked by a probe. */
  readonly port?: number;
  readonly flag?: string;
}

/** Starts a pod that the Service selects, with the pod template of the Deployment but for this. */
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

/** Until three endpoints are ready, which is when requests may go to the third. */
async function untilServed(): Promise<void> {
  await kubectlOk(['wait', ...inNamespace, '--for=condition=Ready', 'pod/third', '--timeout=60s']);
  const jsonpath = '-o=jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].targetRef.name}';
  const ready = async () => (await kubectlOk(['get', 'endpointslices', ...inNamespace, jsonpath])).split(' ');
  await expect.poll(ready, { timeout: 10_000 }).toHaveLength(3);
}

test.each<[string, string, () => Promise<Third>]>([
  ['with a certificate of an older CA', 'cert/unknown-authority', async () => ({ leaf: await makeLeaf(host, oldCa) })],
  ['with a certificate that has expired', 'cert/expired', async () => ({ leaf: await makeLeaf(host, ca, { when: bygone }) })],
  ['with a certificate for another name', 'cert/san-mismatch', async () => ({ leaf: await makeLeaf('elsewhere.svc', ca) })],
  ['that listens elsewhere', 'endpoints/connection-refused', async () => ({ port: 9443 })],
])('a replica %s is found and named: %s', async (_, code, third) => {
  await startThird(await third());
  await untilServed();
  const { exitCode, diagnosis } = await verifyJson([name]);
  expect({ exitCode, verdict: diagnosis.verdict, codes: codesOf(diagnosis) }).toEqual({ exitCode: 1, verdict: 'broken', codes: [code] });
  const [finding] = diagnosis.apis[0]?.findings ?? [];
  expect(finding?.title.match(/\(pod [^)]+\)/g)).toEqual(['(pod third)']);
  // All the while others answer.
  await expect
    .poll(() => kubectl(['get', '--raw', '/apis/wardle.example.com/v1beta1']), { timeout: 10_000 })
    .toMatchObject({ exitCode: 0 });
});

test('a replica that crashes gets no requests, and is a warning', async () => {
  await startThird({ flag: '--no-such-flag' });
  const look = async () => {
    const { exitCode, diagnosis } = await verifyJson([name]);
    return { exitCode, findings: diagnosis.apis[0]?.findings };
  };
  const crashing = { code: 'endpoints/pod-crashing', severity: 'warning', title: expect.stringContaining('pod third') };
  await expect.poll(look, { timeout: 30_000, interval: 1_000 }).toMatchObject({ exitCode: 0, findings: [crashing] });
  const [finding] = (await look()).findings ?? [];
  expect(finding?.evidence).toContainEqual(expect.stringMatching(/^third: last log line of .*unknown flag: --no-such-flag$/));
});

test('without it verify has no finding', async () => {
  const { exitCode, diagnosis } = await verifyJson([name]);
  expect({ exitCode, diagnosis }).toMatchObject({ exitCode: 0, diagnosis: { apis: [{ findings: [], notChecked: [] }] } });
});
