import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Backend, Reply } from '../harness/backends.ts';
import { serveHttps } from '../harness/backends.ts';
import { makeCa, makeLeaf, pair, pem } from '../harness/certificates.ts';
import { kubectl } from '../harness/commands.ts';
import { kubectlOk } from '../harness/projects.ts';
import { conditions, deleteApiServices, groupOf, handMade, apiServiceNameOf as nameOf, passed } from '../harness/registrations.ts';
import { conditionMs, expectFindings, type Fault } from './expect-findings.ts';
import { validReply } from './hand-made.ts';

/** APIs that work, but hide custom resources, or are hidden from kubectl. */

const namespace = 'listing';
const hiding = 'hiding-custom-resources';
const unlisted = 'unlisted';

const ca = await makeCa(`${namespace} CA`);
const backends: Backend[] = [];

async function register(service: string, more: Partial<Reply> = {}): Promise<void> {
  const leaf = await makeLeaf(`${service}.${namespace}.svc`, ca);
  const backend = await serveHttps(pair(leaf), { ...validReply(service), ...more });
  backends.push(backend);
  const items = Object.values(handMade({ namespace, service, port: backend.port, ca: pem(ca) }));
  await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
}

/** A custom resource in the group and version of the API. */
const definition = (service: string) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `others.${groupOf(service)}` },
  spec: {
    group: groupOf(service),
    scope: 'Namespaced',
    names: { plural: 'others', singular: 'other', kind: 'Other' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
});

beforeAll(async () => {
  await kubectlOk(['create', 'namespace', namespace]);
  await Promise.all([register(hiding), register(unlisted, { needsGroup: true })]);
  const available = async () => [(await conditions()).get(nameOf(hiding)), (await conditions()).get(nameOf(unlisted))];
  const both = [expect.stringMatching(passed), expect.stringMatching(passed)];
  await vi.waitFor(async () => expect(await available()).toEqual(both), { timeout: conditionMs, interval: 500 });
});

afterAll(async () => {
  await kubectl(['delete', 'crd', `others.${groupOf(hiding)}`, '--ignore-not-found']);
  await deleteApiServices(nameOf(hiding), nameOf(unlisted));
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  await Promise.all(backends.map((backend) => backend.stop()));
});

test('a CustomResourceDefinition of the same group and version: registration/hides-custom-resources', async () => {
  await kubectlOk(['create', '-f', '-'], definition(hiding));
  await kubectlOk(['wait', '--for=condition=Established', `crd/others.${groupOf(hiding)}`, '--timeout=80s']);
  const fault: Fault = {
    name: hiding,
    how: 'a CustomResourceDefinition with the same group and version was created',
    codes: ['registration/hides-custom-resources'],
  };
  await expectFindings(fault, nameOf(hiding));
  // Clients cannot reach them.
  expect(await kubectl(['get', '--raw', `/apis/${groupOf(hiding)}/v1`])).toMatchObject({ stdout: expect.not.stringContaining('others') });
});

test('a server that refuses users without groups: discovery/not-listed', async () => {
  const fault: Fault = {
    name: unlisted,
    how: 'the server refuses users without groups, such as kube-apiserver during aggregated discovery',
    codes: ['discovery/not-listed'],
  };
  // Long enough for kube-apiserver to request discovery.
  const since = [
    {
      op: 'replace',
      path: '/status/conditions/0/lastTransitionTime',
      value: new Date(Date.now() - 600_000).toISOString().replace(/\.\d+/, ''),
    },
  ];
  await kubectlOk(['patch', 'apiservice', nameOf(unlisted), '--subresource=status', '--type=json', '-p', JSON.stringify(since)]);
  await expectFindings(fault, nameOf(unlisted));
  const { exitCode, stderr } = await kubectl(['get', `things.v1.${groupOf(unlisted)}`]);
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("doesn't have a resource type") });
});
