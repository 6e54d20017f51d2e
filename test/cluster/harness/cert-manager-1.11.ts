import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { enter } from '../../../src/sandbox/real/network.ts';
import { type CertManager, startPart } from './cert-manager.ts';
import { kubectl } from './commands.ts';
import { program } from './programs.ts';
import { kubectlOk } from './projects.ts';
import { cluster } from './provided.ts';

/** The three programs of cert-manager 1.11.5, as its chart starts them. */

const namespace = 'cert-manager';
const webhook = 'cert-manager-webhook';
const webhookPort = 9443;
const meta = { name: webhook, namespace };

/** A webhook of the chart: templates/webhook-validating-webhook.yaml and its sibling. */
const configuration = (kind: string, path: string) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind,
  metadata: { name: webhook, annotations: { 'cert-manager.io/inject-ca-from-secret': `${namespace}/${webhook}-ca` } },
  webhooks: [
    {
      name: 'webhook.cert-manager.io',
      rules: [
        {
          apiGroups: ['cert-manager.io', 'acme.cert-manager.io'],
          apiVersions: ['v1'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['*/*'],
        },
      ],
      admissionReviewVersions: ['v1'],
      failurePolicy: 'Fail',
      sideEffects: 'None',
      clientConfig: { service: { ...meta, path } },
    },
  ],
});

/** The programs run outside the cluster, so the Service has no selector. */
const objects = [
  { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
  { apiVersion: 'v1', kind: 'Service', metadata: meta, spec: { ports: [{ name: 'https', port: 443, targetPort: webhookPort }] } },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...meta, labels: { 'kubernetes.io/service-name': webhook } },
    addressType: 'IPv4',
    ports: [{ name: 'https', port: webhookPort }],
    endpoints: [{ addresses: [cluster.network.address], conditions: { ready: true } }],
  },
  configuration('ValidatingWebhookConfiguration', '/validate'),
  configuration('MutatingWebhookConfiguration', '/mutate'),
];

/** The CRDs of the chart, without the labels that Helm fills in. */
function crds(): string {
  const folder = join(program(cluster.programs, 'deploy'), 'crds');
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  const lines = files.flatMap((name) => ['---', ...readFileSync(join(folder, name), 'utf8').split('\n')]);
  return lines.filter((line) => !line.includes('{{')).join('\n');
}

/** Installs cert-manager 1.11.5, and waits until its webhook answers. @returns its programs */
export async function installCertManager111(): Promise<readonly CertManager[]> {
  expect(await kubectl(['apply', '--server-side', '-f', '-'], { input: crds() })).toMatchObject({ exitCode: 0 });
  await kubectlOk([
    'wait',
    '--for=condition=Established',
    '--timeout=60s',
    'crd',
    'certificates.cert-manager.io',
    'issuers.cert-manager.io',
  ]);
  await kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: objects });
  const start = (part: string, flags: readonly string[], entering: readonly string[] = []): CertManager =>
    startPart(part, [...entering, program(cluster.programs, `${part}-1.11`), `--kubeconfig=${cluster.kubeconfig}`, ...flags]);
  const names = [webhook, `${webhook}.${namespace}`, `${webhook}.${namespace}.svc`];
  const parts = [
    start('controller', ['--leader-elect=false', '--metrics-listen-address=127.0.0.1:0', `--cluster-resource-namespace=${namespace}`]),
    start('cainjector', []),
    start(
      'webhook',
      [
        `--secure-port=${webhookPort}`,
        `--dynamic-serving-ca-secret-namespace=${namespace}`,
        `--dynamic-serving-ca-secret-name=${webhook}-ca`,
        ...names.map((name) => `--dynamic-serving-dns-names=${name}`),
      ],
      enter(cluster.network),
    ),
  ];
  const issuer = {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    metadata: { name: 'any', namespace: 'default' },
    spec: { selfSigned: {} },
  };
  const accepted = async () =>
    expect(await kubectl(['create', '--dry-run=server', '-f', '-'], { input: JSON.stringify(issuer) })).toMatchObject({ exitCode: 0 });
  const ready: PromiseLike<unknown> = vi.waitFor(accepted, { timeout: 60_000, interval: 500 });
  await parts.reduce((work, part) => part.during(work), ready);
  return parts;
}

/** Without its program, the webhook would refuse every object of cert-manager. */
export async function removeWebhook(): Promise<void> {
  await kubectlOk(['delete', 'validatingwebhookconfiguration,mutatingwebhookconfiguration', webhook]);
}
