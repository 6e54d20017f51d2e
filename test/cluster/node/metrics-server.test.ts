import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startSession } from '../../docs/session.ts';
import { expectTranscript, transcript } from '../../docs/transcripts.ts';
import { apisvc, environment, kubectl } from '../harness/commands.ts';
import { program } from '../harness/programs.ts';
import { emptyFolder, getObject, kubectlOk } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { asReader, expectFindings, valid } from '../laboratory/expect-findings.ts';

/**
 * metrics-server 0.9.0 on a node whose kubelet has a serving certificate from the CA of the
 * cluster.
 */

const name = 'v1beta1.metrics.k8s.io';

const top = async (): Promise<string> => (await kubectl(['top', 'nodes', '--no-headers'])).stdout;
/**
 * kubectl top finds the API in the discovery document of all groups. kube-apiserver updates it some
 * time after it serves the group itself.
 */
const discovered = { timeout: 90_000, interval: 500 };

describe('metrics-server from the preset', () => {
  const home = emptyFolder();
  const dir = join(home, 'metrics');

  afterAll(async () => {
    await kubectl(['delete', 'apiservice', name, '--ignore-not-found']);
    await kubectl([
      'delete',
      'deployment,service,secret,serviceaccount',
      '-n',
      'kube-system',
      '-l',
      'app.kubernetes.io/name=metrics-server',
    ]);
  });

  test('is registered with init and register', async () => {
    const { run } = startSession(home, environment(cluster.kubeconfig));
    const [, stdout = ''] = await expectTranscript(transcript('node', 'metrics-server'), run);
    expect(stdout).toContain(`✓ ${name}: healthy`);
    expect(stdout).toMatch(/pod metrics-server-\w+-\w+\) serves CN=metrics-server\.kube-system\.svc/);
  });

  test('its APIService is Available, with a caBundle and without insecureSkipTLSVerify', async () => {
    const line = (await kubectlOk(['get', 'apiservice'])).split('\n').find((each) => each.startsWith(`${name} `));
    expect(line?.split(/\s+/).slice(0, 3)).toEqual([name, 'kube-system/metrics-server', 'True']);
    const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', name, '-o', 'json']));
    expect(spec).toMatchObject({ caBundle: expect.stringMatching(/^LS0tLS1CRUdJTi/) });
    expect(spec.insecureSkipTLSVerify ?? false).toBe(false);
  });

  test('serves the metrics of the node', async () => {
    const [{ metadata: node }] = JSON.parse(await kubectlOk(['get', 'nodes', '-o', 'json'])).items;
    const { kind, items } = JSON.parse(await kubectlOk(['get', '--raw', '/apis/metrics.k8s.io/v1beta1/nodes']));
    expect({ kind, items }).toMatchObject({
      kind: 'NodeMetricsList',
      items: [{ metadata: { name: node.name }, usage: { cpu: expect.stringMatching(/\d/), memory: expect.stringMatching(/^\d+Ki$/) } }],
    });
    await expect.poll(top, discovered).toMatch(new RegExp(`^${node.name} +\\d+m +\\d+% +\\d+Mi +\\d+%`));
  });

  test('passes verify, which reads the serving certificate from the pod', async () => {
    await expectFindings(valid('metrics-server', 'nothing: metrics-server 0.9.0 was registered from its preset'), name, asReader);
  });

  test('does not change on a second register', async () => {
    const { exitCode, stdout } = await apisvc(['register', '-C', dir]);
    expect({ exitCode, stdout }).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed/) });
  });
});

describe('metrics-server from the preset, with the issuer insecure', () => {
  test('makes its own certificate, which kube-apiserver does not verify', async () => {
    const dir = join(emptyFolder(), 'metrics');
    expect(await apisvc(['init', dir, '--preset', 'metrics-server', '--issuer', 'insecure', '--yes'])).toMatchObject({ exitCode: 0 });
    expect(await apisvc(['register', '-C', dir])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`✓ ${name}: healthy with 1 warning`),
    });
    expect(await apisvc(['register', '-C', dir])).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed/) });
    expect(await apisvc(['unregister', '-C', dir, '--yes'])).toMatchObject({ exitCode: 0 });
  });
});

describe('metrics-server from its release manifests, with insecureSkipTLSVerify', () => {
  const upstream = join(program(cluster.programs, 'manifests'), 'overlays', 'release');
  const deployment = ['deployment', '-n', 'kube-system', 'metrics-server'];
  const home = emptyFolder();
  const dir = join(home, 'metrics');
  const session = startSession(home, environment(cluster.kubeconfig));

  beforeAll(async () => {
    await kubectlOk(['apply', '-k', upstream]);
    await kubectlOk(['wait', '--for=condition=Available', `apiservice/${name}`, '--timeout=80s']);
  });

  afterAll(async () => {
    await kubectl(['delete', '-k', upstream, '--ignore-not-found', '--wait=false']);
    await kubectl(['delete', 'secret', '-n', 'kube-system', 'metrics-server-tls', '--ignore-not-found']);
  });

  test('gets a warning from verify that kube-apiserver does not verify its certificate', async () => {
    const how = 'metrics-server 0.9.0 was installed from its release manifests';
    await expectFindings({ name: 'metrics-server-release', how, codes: ['security/insecure-skip-tls-verify'] }, name);
    await expectTranscript(transcript('node', 'metrics-server-insecure'), session.run);
  });

  test('becomes a project with init --from-cluster, and verify gives the same warning', async () => {
    expect(await apisvc(['init', 'found', '--from-cluster', name], { cwd: home })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`apisvc secure ${name} -C found`),
    });
    expect(await apisvc(['verify', '-C', 'found'], { cwd: home })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('security/insecure-skip-tls-verify'),
    });
  });

  test('causes conflicts: register lists the fields of other managers and changes nothing', async () => {
    const before = await getObject(...deployment);
    const [, stderr = ''] = await expectTranscript(transcript('node', 'metrics-server-conflicts'), session.run);
    expect({ exitCode: session.exitCode(), stderr }).toMatchObject({ exitCode: 1 });
    expect(stderr).toMatch(
      /conflict: other field managers own fields of apiservice\/v1beta1\.metrics\.k8s\.io\n.*insecureSkipTLSVerify.*kubectl-client-side-apply/,
    );
    expect(stderr).toMatch(
      /conflict: other field managers own fields of deployment\/kube-system\/metrics-server\n.*args.*kubectl-client-side-apply/,
    );
    expect(stderr).toContain('nothing was changed');
    expect(stderr).toContain('--force-conflicts');
    expect(await getObject(...deployment)).toEqual(before);
  });

  test('is registered with --force-conflicts, which keeps its Deployment', async () => {
    const uid = ['-o', 'jsonpath={.metadata.uid}'];
    const before = await kubectlOk(['get', ...deployment, ...uid]);
    const [stdout = ''] = await expectTranscript(transcript('node', 'metrics-server-adopted'), session.run);
    expect({ exitCode: session.exitCode(), stdout }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain(`✓ ${name}: healthy`);
    expect(await kubectlOk(['get', ...deployment, ...uid])).toBe(before);
    const container = JSON.parse(await kubectlOk(['get', ...deployment, '-o', 'json'])).spec.template.spec.containers[0];
    expect(container.args).toEqual(expect.arrayContaining(['--metric-resolution=15s', expect.stringMatching(/^--tls-cert-file=/)]));
    expect(container.readinessProbe).toMatchObject({ httpGet: { path: '/readyz' } });
  });

  test('works afterwards, and kube-apiserver verifies its certificate', async () => {
    await expectFindings(
      valid(
        'metrics-server-adopted',
        'nothing: metrics-server 0.9.0 was installed from its release manifests, then registered with apisvc',
      ),
      name,
      asReader,
    );
    const { spec } = JSON.parse(await kubectlOk(['get', 'apiservice', name, '-o', 'json']));
    expect({ insecure: spec.insecureSkipTLSVerify ?? false, caBundle: spec.caBundle }).toEqual({
      insecure: false,
      caBundle: expect.any(String),
    });
    await expect.poll(top, discovered).toMatch(/\d+m +\d+%/);
    expect(await apisvc(['register', '-C', dir])).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Nothing changed/) });
  });
});
