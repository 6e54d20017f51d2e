import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Backend, serveHttps } from '../harness/backends.ts';
import { makeCa, makeLeaf, pair, pem } from '../harness/certificates.ts';
import { kubectl } from '../harness/commands.ts';
import { kubectlOk } from '../harness/projects.ts';
import { apiServiceNameOf, conditions, deleteApiServices, groupOf, handMade } from '../harness/registrations.ts';
import { expectFindings } from './expect-findings.ts';
import { validReply } from './hand-made.ts';
import { writeCondition } from './statuses.ts';

/**
 * Outdated conditions. kube-apiserver updates them within milliseconds; here, an admission policy
 * prevents it.
 */

const namespace = 'conditions';
const unwritten = 'unwritten-condition';
const stale = 'stale-condition';

/** The user of kube-apiserver itself (k8s.io/apiserver/pkg/authentication/user, APIServerUser). */
const itself = 'system:apiserver';

const metadata = { name: 'keeps-conditions' };
const names = [unwritten, stale].map(apiServiceNameOf);
const apiVersion = 'admissionregistration.k8s.io/v1';
const policy = [
  {
    apiVersion,
    kind: 'ValidatingAdmissionPolicy',
    metadata,
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ['apiregistration.k8s.io'], apiVersions: ['*'], operations: ['UPDATE'], resources: ['apiservices/status'] },
        ],
      },
      matchConditions: [
        { name: 'ours', expression: `request.name in ${JSON.stringify(names)} && request.userInfo.username == '${itself}'` },
      ],
      validations: [{ expression: 'false', message: 'conditions are kept' }],
    },
  },
  {
    apiVersion,
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: metadata.name, validationActions: ['Deny'] },
  },
];

/** kube-apiserver creates an APIService for it, and serves it itself. */
const customResource = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `things.${groupOf(stale)}` },
  spec: {
    group: groupOf(stale),
    scope: 'Namespaced',
    names: { plural: 'things', singular: 'thing', kind: 'Thing' },
    versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
  },
};

let backend: Backend | undefined;

beforeAll(async () => {
  await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: [...policy, customResource] });
  await kubectlOk(['create', 'namespace', namespace]);
  await kubectlOk(['wait', '--for=condition=Established', `crd/${customResource.metadata.name}`, '--timeout=60s']);
  const as = ['--as', itself, '--as-group', 'system:masters', '--dry-run=server'];
  const write = [
    'patch',
    'apiservice',
    apiServiceNameOf(stale),
    '--subresource=status',
    '--type=merge',
    '-p',
    '{"status":{"conditions":[]}}',
  ];
  const denied = async () => expect((await kubectl([...write, ...as])).stderr).toContain('conditions are kept');
  await vi.waitFor(denied, { timeout: 60_000, interval: 300 });
});

afterAll(async () => {
  await kubectl(['delete', 'validatingadmissionpolicies,validatingadmissionpolicybindings', metadata.name]);
  await deleteApiServices(apiServiceNameOf(unwritten));
  await kubectl(['delete', 'crd', customResource.metadata.name]);
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  await backend?.stop();
});

test('an API without a condition: control-plane/no-condition', async () => {
  const ca = await makeCa(`${namespace} CA`);
  backend = await serveHttps(pair(await makeLeaf(`${unwritten}.${namespace}.svc`, ca)), validReply(unwritten));
  const items = Object.values(handMade({ namespace, service: unwritten, port: backend.port, ca: pem(ca) }));
  await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
  await expectFindings(
    {
      name: unwritten,
      how: 'an admission policy prevents kube-apiserver from writing the condition',
      codes: ['control-plane/no-condition'],
    },
    apiServiceNameOf(unwritten),
    // kube-apiserver knows the APIService, and then its server, after a moment.
    { withinMs: 60_000 },
  );
});

const repaired = [
  {
    name: 'renewed-since',
    how: 'the condition reports an expired certificate, but the certificate has since been renewed',
    error: 'tls: failed to verify certificate: x509: certificate has expired',
  },
  {
    name: 'started-since',
    how: 'the condition reports a refused connection, but the server has since started',
    error: 'dial tcp 10.0.0.1:443: connect: connection refused',
  },
];

test.each(repaired)('a condition that is not updated yet, $name: control-plane/not-available', async ({ error, ...fault }) => {
  const message = `failing or missing response from https://10.0.0.1:443/x: Get "https://10.0.0.1:443/x": ${error}`;
  await writeCondition(apiServiceNameOf(unwritten), { status: 'False', reason: 'FailedDiscoveryCheck', message });
  // kube-apiserver follows the condition as soon as it observes it.
  await expectFindings({ ...fault, codes: ['control-plane/not-available'] }, apiServiceNameOf(unwritten), { withinMs: 60_000 });
});

test('a condition with the time of another clock: control-plane/wrong-clock', async () => {
  const error =
    'tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2061-01-01T00:00:00Z is after 2051-01-01T00:00:00Z';
  const message = `failing or missing response from https://10.0.0.1:443/x: Get "https://10.0.0.1:443/x": ${error}`;
  await writeCondition(apiServiceNameOf(unwritten), { status: 'False', reason: 'FailedDiscoveryCheck', message });
  await expectFindings(
    {
      name: 'other-clock',
      how: 'a kube-apiserver whose clock is decades ahead reports an expired certificate in the condition',
      codes: ['control-plane/wrong-clock'],
    },
    apiServiceNameOf(unwritten),
    { withinMs: 60_000 },
  );
});

test('an API that works, but is not Available: control-plane/stale-condition', async () => {
  await writeCondition(apiServiceNameOf(stale), { status: 'False', reason: 'Outdated', message: 'it did not work at that time' });
  await expectFindings(
    {
      name: stale,
      how: 'the condition of an API of custom resources is out of date, and an admission policy prevents an update of the condition',
      codes: ['control-plane/stale-condition'],
    },
    apiServiceNameOf(stale),
  );
  expect((await conditions()).get(apiServiceNameOf(stale))).toMatch(/^False Outdated/);
});
