import { copyFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Document, parseAllDocuments } from 'yaml';
import { projectFiles } from '../../../src/project/project.ts';
import { startSession } from '../../docs/session.ts';
import { expectTranscript, transcript } from '../../docs/transcripts.ts';
import { keyMarkersIn } from '../../unit/pki/key-traces.ts';
import {
  type AnyApiProject,
  anyApiProjectOfTest,
  closingWhenReady,
  installAnyApiProject,
  removeAnyApiProject,
} from '../harness/any-api-project.ts';
import { clockAhead } from '../harness/clock-ahead.ts';
import { apisvc, environment, kubectl } from '../harness/commands.ts';
import { importOwnImage, ownImage } from '../harness/node/own-image.ts';
import { type EditPod, endOf, killIn, startJob, untilPrinted, withConfiguration, withoutRight } from '../harness/node/rotation-jobs.ts';
import { editConfiguration, emptyFolder, getObject, kubectlOk, paste } from '../harness/projects.ts';
import { cluster } from '../harness/provided.ts';
import { endless, expectNoFailureDuringRestart, setMinReadySeconds, underLoad, untilNoPodEnds } from '../harness/rotations.ts';
import { isThorough } from '../harness/thorough.ts';
import { serviceAccountKubeconfig } from '../harness/users.ts';

/** The container image of a release, in pods, and the Jobs that rotate with it. */

const name = 'demo';
const runner = 'image-spec';
const watcher = 'image-spec-monitor';
let project: AnyApiProject;
/** Servers that never reload, and whose certificate expires soon. */
const expiring = { flags: [...closingWhenReady, '--certificate-once'], init: ['--ca-key-in', 'secret', '--lifetime', '20d'] };

/** rotate sees that these pods need a restart. Others are restarted after the time of a reload. */
function mountAlone(document: Document): void {
  document.setIn(['spec', 'server', 'volumes'], document.createNode([{ name: 'file', secret: { secretName: `${name}-tls` } }]));
  const mount = { name: 'file', mountPath: '/file/tls.crt', subPath: 'tls.crt' };
  document.setIn(['spec', 'server', 'volumeMounts'], document.createNode([mount]));
}

beforeAll(async () => {
  const [installed] = await Promise.all([installAnyApiProject({ name, ...expiring, edit: mountAlone }), importOwnImage()]);
  project = installed;
  const restricted = { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } };
  const metadata = { name: runner, ...restricted };
  await kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'Namespace', metadata });
  await kubectlOk(['create', 'serviceaccount', runner, '-n', runner]);
  // What it may not read, verify lists as not checked.
  await kubectlOk(['create', 'clusterrole', runner, '--verb=get,list', '--resource=apiservices.apiregistration.k8s.io']);
  await kubectlOk(['create', 'clusterrolebinding', runner, `--clusterrole=${runner}`, `--serviceaccount=${runner}:${runner}`]);
  await kubectlOk(['label', 'namespace', name, 'pod-security.kubernetes.io/enforce=restricted']);
  await applyCronJob(project);
});

afterAll(async () => {
  await kubectlOk(['delete', 'namespace', runner, watcher, '--ignore-not-found', '--wait=false']);
  const ofCluster = ['clusterrole,clusterrolebinding', runner, `${watcher}:apisvc-monitor`, `${name}:${name}-rotate`];
  await kubectlOk(['delete', ...ofCluster, '--ignore-not-found']);
  await kubectlOk(['delete', 'rolebinding', '-n', 'kube-system', `${watcher}:apisvc-monitor`, '--ignore-not-found']);
  await removeAnyApiProject(project, name);
});

/** Applies the CronJob of a project, whose next certificate is valid for 200 days, twice. */
async function applyCronJob({ dir }: AnyApiProject): Promise<void> {
  editConfiguration(dir, (document) => document.setIn(['spec', 'certificates', 'lifetime'], '200d'));
  const rendered = await apisvc(['render', '-C', dir, '--cronjob', '--image', ownImage]);
  expect(rendered).toMatchObject({ exitCode: 0, stderr: '' });
  const apply = () => kubectl(['apply', '--validate=strict', '-f', '-'], { input: rendered.stdout });
  expect(await apply()).toMatchObject({ exitCode: 0 });
  expect((await apply()).stdout.trim().split('\n')).toEqual(Array(7).fill(expect.stringMatching(/ unchanged$/)));
}

/** The resourceVersions of what a rotation may write but the CA, and of the pods of the server. */
async function written(namespace: string): Promise<Record<string, string>> {
  const kinds = 'secrets,leases,deployments,replicasets,pods,services,endpointslices';
  const { items } = JSON.parse(await kubectlOk(['get', kinds, '-n', namespace, '-l', '!batch.kubernetes.io/job-name', '-o', 'json']));
  const api = await getObject('apiservice', project.apiService);
  // biome-ignore lint/suspicious/noExplicitAny: objects as kubectl prints them.
  const versions = [...items, api].map(({ kind, metadata }: any) => [`${kind}/${metadata.name}`, metadata.resourceVersion]);
  return Object.fromEntries(versions.filter(([key]) => key !== `Secret/${namespace}-ca`));
}

/** Expects that a Job fails with one pod. @returns the error that ends its log, with the fix */
async function expectRefused(job: string, edit: EditPod, exitCode: number, lines: readonly unknown[]): Promise<readonly string[]> {
  await startJob(name, job, edit);
  const { condition, pods } = await endOf(name, job);
  const [{ output = '', ...ended } = {}, ...more] = pods;
  const error = output
    .slice(output.search(/^error: /m))
    .trimEnd()
    .split('\n');
  expect({ condition, ...ended, more, error: error.slice(0, lines.length) }).toEqual({
    condition: 'Failed',
    exitCode,
    more: [],
    error: lines,
  });
  return error;
}

/** Expects that Secret, caBundle and every endpoint have the new certificate. */
async function expectRotated({ dir }: AnyApiProject, namespace: string): Promise<void> {
  expect(await apisvc(['status', '-C', dir])).toMatchObject({ exitCode: 0 });
  expect(await apisvc(['verify', '-C', dir, '--fail-if-expires-within', '190d', '-o', 'short'])).toMatchObject({ exitCode: 0 });
  expect(await kubectlOk(['get', 'leases', '-n', namespace, '-o', 'name'])).toBe('');
}

test('a Job of a wrong set-up changes nothing, and says what to do', async () => {
  const before = await written(name);
  const limited = await withoutRight(name, 'pods/portforward');
  const other = await withConfiguration(name, 'other', (document) => document.setIn(['spec', 'service', 'name'], 'other'));
  const long = await withConfiguration(name, 'long', (document) => {
    document.setIn(['spec', 'certificates', 'lifetime'], '4000d');
    document.setIn(['spec', 'certificates', 'issuer', 'caLifetime'], '5000d');
  });
  await Promise.all([
    expectRefused('no-key', await withConfiguration(name, 'no-key'), 2, [
      'error: failed to read apisvc.yaml: it is a directory',
      'fix: Replace the directory with the file. In a pod, check that the ConfigMap exists and has the key "apisvc.yaml".',
    ]),
    expectRefused('other', other, 1, [
      `error: apiservice/${project.apiService} points at Service demo/demo, not at Service demo/other`,
      'nothing was changed',
      'fix: In apisvc.yaml, correct spec.service.name.',
    ]),
    expectRefused('long', long, 2, [
      expect.stringMatching(/^error: the CA CN=demo\.demo\.svc CA expires on \S+, before the new certificate would expire \(\S+\)$/),
      'fix: To create a new CA: apisvc rotate --ca',
    ]),
  ]);
  const [, , , ...grant] = await expectRefused('limited', limited, 3, [
    `error: user "system:serviceaccount:demo:limited" is not allowed to get, create pods/portforward`,
    'nothing was changed',
    'fix: A cluster administrator can grant the permissions:',
  ]);
  await paste(grant.join('\n'));

  const ca = (await getObject('secret', '-n', name, `${name}-ca`)) as { metadata?: object } | undefined;
  await kubectlOk(['delete', 'secret', `${name}-ca`, '-n', name]);
  await expectRefused('no-ca', limited, 1, [
    'error: Secret demo/demo-ca not found; rotate needs the private key of the CA to sign the new serving certificate',
    'nothing was changed',
    'fix: If another copy of the project still has certs/ca.key, register from the directory of that copy: apisvc register -C DIR',
    'To create a new CA: apisvc rotate --ca',
  ]);
  await kubectlOk(['create', '-f', '-'], { ...ca, metadata: { ...ca?.metadata, resourceVersion: undefined, uid: undefined } });
  expect(await written(name)).toEqual(before);
});

test('a Job is continued by another pod after it was killed, beside a second Job, and no request fails', async () => {
  await setMinReadySeconds(name, endless);
  const report = await underLoad(
    project,
    async () => {
      await startJob(name, 'first');
      const pod = await untilPrinted(name, 'first', /note: restarting the pods of Deployment demo\/demo: .* with subPath/);
      await expectRefused('second', () => {}, 1, [
        expect.stringMatching(new RegExp(`^error: nonroot@${pod} has been rotating the certificate of Service demo/demo since \\S+$`)),
        'fix: Wait until that rotation is complete. To see its progress: apisvc status',
      ]);
      killIn(pod);
      await setMinReadySeconds(name, 4);
      const { condition, pods } = await endOf(name, 'first');
      expect({ condition, codes: pods.map(({ exitCode }) => exitCode), pods }).toMatchObject({ condition: 'Complete', codes: [137, 0] });
      const output = pods.at(-1)?.output ?? '';
      expect(output).toMatch(/note: continuing the rotation of the serving certificate that started at/);
      expect(output).toMatch(/Rotated the serving certificate\.\n {2}old: SHA-256 (\S+)\n {2}new: \S+ SHA-256 (?!\1)\S+ /);
      expect(output.match(/not checked/g)).toHaveLength(1);
      expect(keyMarkersIn(output)).toEqual([]);
    },
    isThorough ? 100 : 50,
  );
  expectNoFailureDuringRestart(report);
  await expectRotated(project, name);
  // The next test compares the pods.
  await untilNoPodEnds(name);
});

test('the commands of the page run a Job that is not due, which changes nothing', async () => {
  const home = emptyFolder();
  symlinkSync(project.dir, join(home, 'demo'));
  const { run } = startSession(home, environment(cluster.kubeconfig));
  await run(`apisvc render -C demo --cronjob --image ${ownImage} | kubectl delete -f -`);
  const before = await written(name);
  await expectTranscript(transcript('node', 'cron-job'), run);
  await expectTranscript(transcript('node', 'cron-job-run'), run);
  if (isThorough) {
    // --import has no effect on the executable, so a clock that is ahead runs outside of the pod.
    const env = { KUBECONFIG: await serviceAccountKubeconfig(name, `${name}-rotate`), ...clockAhead(190 * 86_400_000) };
    const cwd = emptyFolder();
    copyFileSync(projectFiles(project.dir).configuration, join(cwd, 'apisvc.yaml'));
    const { exitCode, stdout } = await apisvc(['rotate', '--if-expires-within', '30d'], { cwd, env });
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(/\. Nothing changed\.\n$/) });
  }
  expect(await written(name)).toEqual(before);
});

if (isThorough) {
  test('a Job whose pods are deleted twice restarts the servers that keep their certificate', async () => {
    const each = 'demo-killed';
    const killed = await anyApiProjectOfTest({ name: each, ...expiring });
    await applyCronJob(killed);
    const report = await underLoad(
      killed,
      async () => {
        await startJob(each, 'killed');
        // A node that is drained ends its pods gracefully.
        for (const [delayMs, ...flags] of [[700, '--grace-period=0', '--force'], [3_000]] as const) {
          const pod = await untilPrinted(each, 'killed', /==> Checking permissions/);
          await new Promise((resolve) => setTimeout(resolve, delayMs));
          await kubectlOk(['delete', 'pod', pod, '-n', each, ...flags]);
        }
        const { condition, pods } = await endOf(each, 'killed');
        expect({ condition, pods }).toMatchObject({ condition: 'Complete' });
        expect(pods.at(-1)?.output).toMatch(/it still serves another certificate after 100s/);
      },
      100,
    );
    expectNoFailureDuringRestart(report);
    await expectRotated(killed, each);
  }, 600_000);
}

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
  const ended = ['wait', '-n', runner, `pod/${pod}`, '--for=jsonpath={.status.containerStatuses[0].state.terminated}', '--timeout=85s'];
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
  await kubectlOk(['rollout', 'status', 'deployment/apisvc-monitor', '-n', watcher, '--timeout=85s']);
  const metrics = `/api/v1/namespaces/${watcher}/services/http:apisvc-monitor:http/proxy/metrics`;
  const sample = `apisvc_apiservice_state{context="inClusterContext",apiservice="${project.apiService}",state="healthy"} 1`;
  await vi.waitFor(async () => expect(await kubectlOk(['get', '--raw', metrics])).toContain(sample), { timeout: 60_000, interval: 500 });
});
