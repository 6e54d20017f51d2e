import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { type Cluster, connect as connectTo } from '../../src/cluster/cluster.ts';
import { watchChanges } from '../../src/operations/monitor/changes.ts';
import { listen, resourceList, type ServingPair, serveHttps, unusedPort } from './harness/backends.ts';
import { makeCa, makeLeaf, pair, pem, validForDays } from './harness/certificates.ts';
import { kubectl } from './harness/commands.ts';
import { renderedMonitor, startMonitor, waiting } from './harness/monitor.ts';
import { program } from './harness/programs.ts';
import { emptyFolder, kubectlOk } from './harness/projects.ts';
import { cluster } from './harness/provided.ts';
import { apiServiceNameOf, groupOf, handMade } from './harness/registrations.ts';
import { serviceAccountKubeconfig } from './harness/users.ts';

/** `apisvc monitor` with the permissions that `render --monitor` grants. */

const name = 'monitored';
const apiservice = apiServiceNameOf(name);
const namespace = 'apisvc-monitor-spec';
const operatorCrds = ['servicemonitors', 'prometheusrules'];

let manifests: Awaited<ReturnType<typeof renderedMonitor>>;
let withoutOperator: Awaited<ReturnType<typeof apply>>;
beforeAll(async () => {
  manifests = await renderedMonitor(namespace);
  withoutOperator = await apply(manifests.text);
});
afterAll(async () => {
  await kubectl(['delete', 'role,rolebinding', '-n', 'default', namespace, '--ignore-not-found']);
  await kubectl(['delete', 'apiservice', apiservice, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, namespace, '--ignore-not-found', '--wait=false']);
  await kubectl(['delete', 'clusterrole,clusterrolebinding', `${namespace}:apisvc-monitor`, '--ignore-not-found']);
  await kubectl(['delete', 'crd', '--ignore-not-found', '--wait=false', ...operatorCrds.map((crd) => `${crd}.monitoring.coreos.com`)]);
  await kubectl(['delete', 'rolebinding', '-n', 'kube-system', `${namespace}:apisvc-monitor`, '--ignore-not-found']);
});

async function apply(input: string) {
  const { exitCode, stdout, stderr } = await kubectl(['apply', '--validate=strict', '-f', '-'], { input });
  return { exitCode, stdout, stderr };
}

/** Creates the CustomResourceDefinitions of the Prometheus Operator that are needed here. */
async function installOperatorCrds(): Promise<void> {
  const folder = program(cluster.programs, 'example/prometheus-operator-crd');
  const files = operatorCrds.flatMap((crd) => ['-f', join(folder, `monitoring.coreos.com_${crd}.yaml`)]);
  await kubectlOk(['create', ...files]);
  await kubectlOk(['wait', '--for=condition=Established', '--timeout=60s', ...files]);
}

/** A kubeconfig with a connection that can be cut, and with its token in a file. */
async function cuttable(path: string) {
  const config = parse(await readFile(path, 'utf8'));
  const [{ cluster: target }] = config.clusters;
  const { hostname, port } = new URL(target.server);
  const forward = (at: number) =>
    listen(
      createServer((socket) => {
        const upstream = connect(Number(port), hostname);
        for (const [one, other] of [[socket, upstream] as const, [upstream, socket] as const])
          one
            .on('error', () => other.destroy())
            .on('close', () => other.destroy())
            .pipe(other);
      }),
      at,
      '127.0.0.1',
    );
  let forwarding = await forward(0);
  onTestFinished(() => forwarding.stop());
  const dir = emptyFolder();
  const [tokenFile, kubeconfig] = [join(dir, 'token'), join(dir, 'kubeconfig')];
  const { token } = config.users[0].user;
  await writeFile(tokenFile, token);
  Object.assign(target, { server: `https://127.0.0.1:${forwarding.port}`, 'tls-server-name': 'kubernetes' });
  config.users[0].user = { tokenFile };
  await writeFile(kubeconfig, stringify(config));
  return {
    kubeconfig,
    setToken: (text: string = token) => writeFile(tokenFile, text),
    cut: () => forwarding.stop(),
    restore: async () => {
      forwarding = await forward(forwarding.port);
    },
  };
}

test('kubectl apply accepts all of render --monitor with the Prometheus Operator, and all but its kinds without', async () => {
  expect(withoutOperator).toMatchObject({ exitCode: 1, stdout: expect.stringContaining('deployment.apps/apisvc-monitor created') });
  const missing = [...withoutOperator.stderr.matchAll(/no matches for kind "(\w+)"/g)].map(([, kind]) => kind);
  expect(missing).toEqual(['ServiceMonitor', 'PrometheusRule']);

  await installOperatorCrds();
  expect(await apply(manifests.text)).toMatchObject({ exitCode: 0, stderr: '' });
  const { spec, ...rest } = manifests.byKind.get('ServiceMonitor');
  const wrong = stringify({ ...rest, spec: { ...spec, endpoints: [{ ...spec.endpoints[0], intervals: '1m' }] } });
  expect(await apply(wrong)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('unknown field "spec.endpoints[0].intervals"') });
});

test('a dead API, a certificate that expires, a replaced token and a dead kube-apiserver change the metrics', async () => {
  await kubectlOk(['create', 'role', namespace, '-n', 'default', '--verb=create', '--resource=events']);
  const subject = `--serviceaccount=${namespace}:apisvc-monitor`;
  await kubectlOk(['create', 'rolebinding', namespace, '-n', 'default', `--role=${namespace}`, subject]);
  const { kubeconfig, setToken, cut, restore } = await cuttable(await serviceAccountKubeconfig(namespace, 'apisvc-monitor'));

  const ca = await makeCa('monitored CA');
  const leaf = (days: number) => makeLeaf(`${name}.${name}.svc`, ca, { when: validForDays(days) });
  const port = await unusedPort();
  const serve = (serving: ServingPair) => serveHttps(serving, { body: resourceList(`${groupOf(name)}/v1`, 'things') }, port);
  const [first, second] = await Promise.all([leaf(90), leaf(5)]);
  let server = await serve(pair(first));
  onTestFinished(() => server.stop());
  await kubectlOk(['create', 'namespace', name]);
  const items = Object.values(handMade({ namespace: name, service: name, port, ca: pem(ca) }));
  await kubectlOk(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });

  const { running, said, address } = await startMonitor(kubeconfig, '--events');
  const metrics = async (): Promise<string> => (await fetch(`http://${address}/metrics`)).text();
  const until = (...samples: readonly (string | RegExp)[]) =>
    vi.waitFor(async () => {
      const text = await metrics();
      for (const sample of samples) expect(text).toMatch(sample);
    }, waiting);
  const state = (word: string): string => `apiservice="${apiservice}",state="${word}"} 1`;
  const expiry = ({ info }: typeof first): string =>
    `apiservice="${apiservice}",place="endpoint",name="${cluster.network.hostAddress}:${port}"} ${Date.parse(info.notAfter) / 1000}`;

  // Of all that verify checks, only what the role leaves out on purpose is not checked.
  await until(state('healthy'), expiry(first), `apisvc_checks_not_run{context="apisvc-monitor",apiservice="${apiservice}"} 0`);
  expect(said()).not.toContain('note:');

  await server.stop();
  await until(state('broken'), `apiservice="${apiservice}",code="endpoints/connection-refused",severity="error"} 1`);
  server = await serve(pair(second));
  await until(state('healthy'), expiry(second), `apiservice="${apiservice}",code="cert/expires-soon",severity="warning"} 1`);

  expect(await kubectlOk(['describe', 'apiservice', apiservice])).toMatch(/Warning +Broken .*apisvc +endpoints\/connection-refused: /);

  await setToken('invalid');
  await until(/apisvc_last_run_success\{.*\} 0/, state('unknown'));
  await setToken();
  await until(/apisvc_last_run_success\{.*\} 1/, state('healthy'));

  await cut();
  await until(/apisvc_last_run_success\{.*\} 0/, state('unknown'), expiry(second));
  expect((await fetch(`http://${address}/healthz`)).status).toBe(200);
  await restore();
  await until(/apisvc_last_run_success\{.*\} 1/, state('healthy'));

  running.kill('SIGTERM');
  expect(await running).toMatchObject({ exitCode: 0, stdout: '' });
});

test('a watch goes on where kube-apiserver has ended it', async () => {
  const apiservices = '/apis/apiregistration.k8s.io/v1/apiservices';
  const changing = 'v1.apps';
  const asked: string[] = [];
  const changed: string[] = [];
  const over = new AbortController();
  onTestFinished(() => over.abort());
  /** Every watch lasts 2 seconds. */
  const shorten = (real: Cluster): Cluster => ({
    ...real,
    request: (request) => {
      if (request.path === apiservices) asked.push('list');
      return real.request(request);
    },
    stream: async function* (request) {
      if (request.path === apiservices) {
        asked.push('watch');
        // A change while nothing watches.
        if (asked.length === 3) await kubectlOk(['annotate', 'apiservice', changing, 'apisvc.dev/spec=changed']);
      }
      yield* real.stream({ ...request, query: { ...request.query, timeoutSeconds: '2' } });
    },
  });
  onTestFinished(async () => {
    await kubectl(['annotate', 'apiservice', changing, 'apisvc.dev/spec-']);
  });
  const ended = watchChanges({
    connect: async (signal) => shorten(await connectTo({ kubeconfig: cluster.kubeconfig }, {}, signal)),
    concerns: ({ metadata }) => {
      if (metadata.annotations?.['apisvc.dev/spec'] === 'changed') changed.push(`${metadata.name} ${asked.length}`);
      return false;
    },
    onChange: () => expect.fail('no version is too old'),
    onRefused: ({ message }) => expect.fail(message),
    signal: over.signal,
  });
  await Promise.race([
    ended,
    // More may follow before this looks.
    vi.waitFor(() => expect(asked.slice(0, 4)).toEqual(['list', 'watch', 'watch', 'watch']), { timeout: 60_000, interval: 50 }),
  ]);
  expect(changed).toEqual([`${changing} 3`]);
});
