import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Document } from 'yaml';
import { apisvc, kubectl } from '../harness/commands.ts';
import { getObject, kubectlOk } from '../harness/projects.ts';
import { makeSampleProject } from '../harness/sample-project.ts';

/**
 * Servers that never become ready: register reports the reason instead of a timeout, and does not
 * register the API. The specs of the laboratory cover what verify finds in such pods.
 */

interface PodProblem {
  /** Name, namespace and API group of the project derive from it. */
  readonly name: string;
  readonly edit: (document: Document) => void;
  /** The message about the pod. */
  readonly message: RegExp;
}

const server = (...path: readonly (string | number)[]) => ['spec', 'server', ...path];
/** Adds a volume that the etcd sidecar mounts. */
const mount = (document: Document, volume: object): void => {
  document.addIn(server('volumes'), document.createNode({ name: 'more', ...volume }));
  document.addIn(server('sidecars', 0, 'volumeMounts'), document.createNode({ name: 'more', mountPath: '/more' }));
};

const podProblems: readonly PodProblem[] = [
  {
    name: 'crashing',
    edit: (document) => document.addIn(server('args'), '--no-such-flag'),
    message: /: container crashing: exit code 1 \(Error\), \d restarts; last log line of crashing: .*unknown flag: --no-such-flag/,
  },
  {
    name: 'unpullable',
    edit: (document) => {
      document.setIn(server('image'), 'docker.io/library/no-such-image:1');
      document.setIn(server('imagePullPolicy'), 'Never');
    },
    message: /: container unpullable: ErrImageNeverPull: .*docker\.io\/library\/no-such-image:1/,
  },
  {
    name: 'unmountable',
    edit: (document) => mount(document, { secret: { secretName: 'not-there' } }),
    message: /: FailedMount: MountVolume\.SetUp failed for volume "more" : secret "not-there" not found/,
  },
  {
    name: 'unconfigured',
    edit: (document) => {
      const env = { name: 'MORE', valueFrom: { configMapKeyRef: { name: 'not-there', key: 'more' } } };
      document.setIn(server('env'), document.createNode([env]));
    },
    message: /: container unconfigured: CreateContainerConfigError: configmap "not-there" not found/,
  },
  {
    name: 'unschedulable',
    edit: (document) => document.setIn(server('nodeSelector'), document.createNode({ disk: 'golden' })),
    message: /: 0\/\d nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector/,
  },
];

/** A project whose namespace has a quota of no pods. */
const overQuota = 'over-quota';

const apiServiceOf = (name: string): string => `v1alpha1.${name}.example.com`;

const removeProject = async (name: string, apiService: string): Promise<void> => {
  await kubectl(['delete', 'apiservice', apiService, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
};

describe('a pod that does not become ready', () => {
  const dirs = new Map<string, string>();
  const results = new Map<string, { readonly exitCode: number | undefined; readonly stderr: string }>();

  beforeAll(async () => {
    for (const { name, edit } of podProblems) dirs.set(name, await makeSampleProject({ name, api: `${name}.example.com/v1alpha1`, edit }));
    dirs.set(overQuota, await makeSampleProject({ name: overQuota, api: `${overQuota}.example.com/v1alpha1`, edit: () => {} }));
    await kubectlOk(['create', 'namespace', overQuota]);
    await kubectlOk(['create', 'quota', 'no-pods', '--hard=pods=0', '-n', overQuota]);
    // In parallel, because each of them waits until register considers the failure persistent.
    const registering = [...dirs.keys()].map(async (name) => {
      const { exitCode, stderr } = await apisvc(['register', '--timeout', '140s'], { cwd: dirs.get(name) ?? '', timeout: 150_000 });
      results.set(name, { exitCode, stderr });
    });
    await Promise.all(registering);
  });
  afterAll(() => Promise.all([...dirs.keys()].map((name) => removeProject(name, apiServiceOf(name)))));

  test.each(podProblems)('$name: register reports the reason and does not register the API', async ({ name, message }) => {
    const { exitCode, stderr = '' } = results.get(name) ?? {};
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
    const [, error] = /^error: (.*)$/m.exec(stderr) ?? [];
    expect(error).toMatch(new RegExp(`^Deployment ${name}/${name} failed to roll out: pod ${name}-\\S+${message.source}`));
    expect(stderr).toMatch(new RegExp(`^fix: .*kubectl -n ${name} describe pod ${name}-`, 'm'));
    expect(await getObject('apiservice', apiServiceOf(name))).toBeUndefined();
  });

  test('because a quota forbids its creation: register reports the reason and does not register the API', async () => {
    const { exitCode, stderr = '' } = results.get(overQuota) ?? {};
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
    expect(stderr).toMatch(
      /^error: Deployment over-quota\/over-quota failed to roll out: pods ".*" is forbidden: exceeded quota: no-pods/m,
    );
    expect(await getObject('apiservice', apiServiceOf(overQuota))).toBeUndefined();
  });
});
