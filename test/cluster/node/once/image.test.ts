import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type AnyApiProject, installAnyApiProject, removeAnyApiProject } from '../../harness/any-api-project.ts';
import { apisvc, kubectl } from '../../harness/commands.ts';
import { importOwnImage, ownImage } from '../../harness/node/own-image.ts';
import { editConfiguration, kubectlOk } from '../../harness/projects.ts';
import { expectNoFailure, underLoad } from '../../harness/rotations.ts';

/** The container image of a release, in pods. */

const name = 'in-a-pod';
const runner = 'image-spec';
const watcher = 'image-spec-monitor';
let project: AnyApiProject;

beforeAll(async () => {
  const init = ['--ca-key-in', 'secret', '--lifetime', '20d'];
  const [installed] = await Promise.all([installAnyApiProject({ name, replicas: 1, init }), importOwnImage()]);
  project = installed;
  const restricted = { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } };
  const metadata = { name: runner, ...restricted };
  await kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'Namespace', metadata });
  await kubectlOk(['create', 'serviceaccount', runner, '-n', runner]);
  // What it may not read, verify lists as not checked.
  await kubectlOk(['create', 'clusterrole', runner, '--verb=get,list', '--resource=apiservices.apiregistration.k8s.io']);
  await kubectlOk(['create', 'clusterrolebinding', runner, `--clusterrole=${runner}`, `--serviceaccount=${runner}:${runner}`]);
});

afterAll(async () => {
  await kubectlOk(['delete', 'namespace', runner, watcher, '--ignore-not-found', '--wait=false']);
  const cluster = ['clusterrole,clusterrolebinding', runner, `${watcher}:apisvc-monitor`, `${name}:${name}-rotate`];
  await kubectlOk(['delete', ...cluster, '--ignore-not-found']);
  await kubectlOk(['delete', 'rolebinding', '-n', 'kube-system', `${watcher}:apisvc-monitor`, '--ignore-not-found']);
  await removeAnyApiProject(project, name);
});

/** Runs the image as restricted as a pod can be. @returns its output and exit code */
async function inPod(pod: string, args: readonly string[]) {
  const securityContext = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
  const container = { name: 'apisvc', image: ownImage, imagePullPolicy: 'Never', args, securityContext };
  await kubectlOk(['apply', '-n', runner, '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: pod },
    spec: {
      serviceAccountName: runner,
      restartPolicy: 'Never',
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [container],
    },
  });
  const ended = ['wait', '-n', runner, `pod/${pod}`, '--for=jsonpath={.status.containerStatuses[0].state.terminated}', '--timeout=60s'];
  await kubectlOk(ended);
  const exitCode = await kubectlOk([
    'get',
    'pod',
    pod,
    '-n',
    runner,
    '-o',
    'jsonpath={.status.containerStatuses[0].state.terminated.exitCode}',
  ]);
  return { exitCode: Number(exitCode), output: await kubectlOk(['logs', pod, '-n', runner]) };
}

test('the CronJob of render rotates a certificate that expires soon, with its own permissions, and no request fails', async () => {
  await kubectlOk(['label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted']);
  editConfiguration(project.dir, (document) => document.setIn(['spec', 'certificates', 'lifetime'], '365d'));
  const rendered = await apisvc(['render', '-C', project.dir, '--cronjob', '--image', ownImage]);
  expect(rendered).toMatchObject({ exitCode: 0, stderr: '' });
  const apply = () => kubectl(['apply', '--validate=strict', '-f', '-'], { input: rendered.stdout });
  expect(await apply()).toMatchObject({ exitCode: 0 });
  expect((await apply()).stdout.trim().split('\n')).toEqual(Array(7).fill(expect.stringMatching(/ unchanged$/)));

  const report = await underLoad(
    project,
    async () => {
      await kubectlOk(['create', 'job', 'once', '-n', name, `--from=cronjob/${name}-rotate`]);
      await kubectlOk(['wait', 'job/once', '-n', name, '--for=jsonpath={.status.conditions[0].type}', '--timeout=80s']);
    },
    50,
  );
  const output = await kubectlOk(['logs', 'job/once', '-n', name]);
  expect({ output }).toEqual({ output: expect.stringContaining('Rotated the serving certificate.') });
  expect(output).not.toContain('PRIVATE KEY');
  expect(await kubectlOk(['get', 'job', 'once', '-n', name, '-o', 'jsonpath={.status.conditions[*].type}'])).toContain('Complete');
  expectNoFailure(report);
  const due = ['verify', '-C', project.dir, '--fail-if-expires-within', '300d', '-o', 'short'];
  expect(await apisvc(due)).toMatchObject({ exitCode: 0 });
});

test('verify uses the ServiceAccount, as a user without rights on a file system that it cannot write', async () => {
  const { exitCode, output } = await inPod('verify', ['verify', project.apiService, '-o', 'json']);
  expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(output)).toMatchObject({ verdict: 'healthy' });
});

test('the exit code of the container is that of the command', async () => {
  const { exitCode, output } = await inPod('unknown', ['verify', 'v1.no-such.example.com', '-o', 'short']);
  expect({ exitCode, output }).toEqual({ exitCode: 1, output: expect.stringContaining('registration/missing') });
});

test('render --monitor makes a monitor that verifies the cluster', async () => {
  const { stdout } = await apisvc(['render', '--monitor', '-n', watcher, '--image', ownImage]);
  const items = parseAllDocuments(stdout).map((document) => document.toJS());
  // The cluster has no Prometheus Operator.
  const known = items.filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.coreos.com/'));
  await kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: known });
  await kubectlOk(['rollout', 'status', 'deployment/apisvc-monitor', '-n', watcher, '--timeout=60s']);
  const metrics = `/api/v1/namespaces/${watcher}/services/http:apisvc-monitor:http/proxy/metrics`;
  const sample = `apisvc_apiservice_state{context="inClusterContext",apiservice="${project.apiService}",state="healthy"} 1`;
  await vi.waitFor(async () => expect(await kubectlOk(['get', '--raw', metrics])).toContain(sample), { timeout: 60_000, interval: 500 });
});
