import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, onTestFinished, test, vi } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { type Cluster, connect as connectTo } from '../../src/cluster/cluster.ts';
import { watchChanges } from '../../src/operations/monitor/changes.ts';
import { listen, resourceList, type ServingPair, serveHttps, unusedPort } from './harness/backends.ts';
import { makeCa, makeLeaf, pair, pem, validForDays } from './harness/certificates.ts';
import { apisvc, kubectl } from './harness/commands.ts';
import { program } from './harness/programs.ts';
import { emptyFolder, kubectlOk } from './harness/projects.ts';
import { cluster } from './harness/provided.ts';
import { apiServiceNameOf, groupOf, handMade } from './harness/registrations.ts';
import { serviceAccountKubeconfig } from './harness/users.ts';

/** `apisvc monitor` with the permissions that `render --monitor` grants. */

const name = 'monitored';
const apiservice = apiServiceNameOf(name);
const namespace = 'apisvc-monitor-spec';
const operatorKinds = ['ServiceMonitor', 'PrometheusRule'];

afterAll(async () => {
  await kubectl(['delete', 'role,rolebinding', '-n', 'default', namespace, '--ignore-not-found']);
  await kubectl(['delete', 'apiservice', apiservice, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, namespace, '--ignore-not-found', '--wait=false']);
  await kubectl(['delete', 'clusterrole,clusterrolebinding', `${namespace}:apisvc-monitor`, '--ignore-not-found']);
  await kubectl(['delete', 'rolebinding', '-n', 'kube-system', `${namespace}:apisvc-monitor`, '--ignore-not-found']);
});

// biome-ignore lint/suspicious/noExplicitAny: manifests.
async function rendered(): Promise<any[]> {
  const { exitCode, stdout, stderr } = await apisvc(['render', '--monitor', '-n', namespace, '--image', 'none']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return parseAllDocuments(stdout).map((document) => document.toJS());
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

test('a dead API, a certificate that expires, a replaced token and a dead kube-apiserver change the metrics', async () => {
  const objects = (await rendered()).filter(({ kind }) => !operatorKinds.includes(kind));
  await kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: objects });
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

  const flags = ['monitor', '--listen', '127.0.0.1:0', '--interval', '5s', '--events'];
  const running = apisvc(flags, { env: { KUBECONFIG: kubeconfig }, timeout: 170_000 });
  onTestFinished(async () => {
    running.kill('SIGKILL');
    await running;
  });
  let said = '';
  running.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const waiting = { timeout: 60_000, interval: 250 };
  const url = await vi.waitFor(() => /^serving on (127\.0\.0\.1:\d+)/.exec(said)?.[1] ?? expect.fail(said), waiting);
  const metrics = async (): Promise<string> => (await fetch(`http://${url}/metrics`)).text();
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
  expect(said).not.toContain('note:');

  await server.stop();
  await until(state('broken'), `apiservice="${apiservice}",code="endpoints/connection-refused",severity="error"} 1`);
  server = await serve(pair(second));
  await until(state('healthy'), expiry(second), `apiservice="${apiservice}",code="cert/expires-soon",severity="warning"} 1`);

  expect(await kubectlOk(['describe', 'apiservice', apiservice])).toMatch(/Warning +Broken .*apisvc +endpoints\/connection-refused: /);

  await setToken('invalid');
  await until(/apisvc_last_look_success\{.*\} 0/, state('unknown'));
  await setToken();
  await until(/apisvc_last_look_success\{.*\} 1/, state('healthy'));

  await cut();
  await until(/apisvc_last_look_success\{.*\} 0/, state('unknown'), expiry(second));
  expect((await fetch(`http://${url}/healthz`)).status).toBe(200);
  await restore();
  await until(/apisvc_last_look_success\{.*\} 1/, state('healthy'));

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
    vi.waitFor(() => expect(asked).toEqual(['list', 'watch', 'watch', 'watch']), { timeout: 60_000, interval: 50 }),
  ]);
  expect(changed).toEqual([`${changing} 3`]);
});

test('the alerts are valid, and fire', async () => {
  const rule = (await rendered()).find(({ kind }) => kind === 'PrometheusRule');
  const dir = emptyFolder();
  await writeFile(join(dir, 'rules.yaml'), stringify(rule.spec));
  await copyFile(join(import.meta.dirname, '..', 'fixtures', 'monitor', 'alerts.yaml'), join(dir, 'alerts.yaml'));
  for (const args of [
    ['check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml'],
    ['test', 'rules', 'alerts.yaml'],
  ]) {
    const { exitCode, stdout, stderr } = await execa(program(cluster.programs, 'promtool'), args, { cwd: dir, reject: false });
    expect({ args, exitCode, output: stdout + stderr }).toMatchObject({ exitCode: 0 });
  }
});
