import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Document } from 'yaml';
import { apisvc, kubectl } from '../harness/commands.ts';
import { getObject, kubectlOk } from '../harness/projects.ts';
import { makeSampleProject } from '../harness/sample-project.ts';

/** Servers that never become ready: register ends with the reason instead of a time-out and leaves the API unregistered. What verify finds in such pods is in the laboratory. */

interface Trouble {
  /** Also name, namespace and group of the project. */
  readonly name: string;
  readonly edit: (document: Document) => void;
  /** What is said of the pod. */
  readonly words: RegExp;
}

const server = (...path: readonly (string | number)[]) => ['spec', 'server', ...path];
/** A volume that the etcd sidecar mounts. */
const mount = (document: Document, volume: object): void => {
  document.addIn(server('volumes'), document.createNode({ name: 'more', ...volume }));
  document.addIn(server('sidecars', 0, 'volumeMounts'), document.createNode({ name: 'more', mountPath: '/more' }));
};

const troubles: readonly Trouble[] = [
  {
    name: 'crashing',
    edit: (document) => document.addIn(server('args'), '--no-such-flag'),
    words: /: container crashing: exit code 1 \(Error\), \d restarts; last log line of crashing: .*unknown flag: --no-such-flag/,
  },
  {
    name: 'unpullable',
    edit: (document) => {
      document.setIn(server('image'), 'docker.io/library/no-such-image:1');
      document.setIn(server('imagePullPolicy'), 'Never');
    },
    words: /: container unpullable: ErrImageNeverPull: .*docker\.io\/library\/no-such-image:1/,
  },
  {
    name: 'unmountable',
    edit: (document) => mount(document, { secret: { secretName: 'not-there' } }),
    words: /: FailedMount: MountVolume\.SetUp failed for volume "more" : secret "not-there" not found/,
  },
  {
    name: 'unconfigured',
    edit: (document) => {
      const env = { name: 'MORE', valueFrom: { configMapKeyRef: { name: 'not-there', key: 'more' } } };
      document.setIn(server('env'), document.createNode([env]));
    },
    words: /: container unconfigured: CreateContainerConfigError: configmap "not-there" not found/,
  },
  {
    name: 'unschedulable',
    edit: (document) => document.setIn(server('nodeSelector'), document.createNode({ disk: 'golden' })),
    words: /: 0\/\d nodes are available: 1 node\(s\) didn't match Pod's node affinity\/selector/,
  },
];

/** A project in whose namespace no pod may be made. */
const overQuota = 'over-quota';

const apiServiceOf = (name: string): string => `v1alpha1.${name}.example.com`;

const removeProject = async (name: string, apiService: string): Promise<void> => {
  await kubectl(['delete', 'apiservice', apiService, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
};

describe('a pod that never becomes ready', () => {
  const dirs = new Map<string, string>();
  const results = new Map<string, { readonly exitCode: number | undefined; readonly stderr: string }>();

  beforeAll(async () => {
    for (const { name, edit } of troubles) dirs.set(name, await makeSampleProject({ name, api: `${name}.example.com/v1alpha1`, edit }));
    dirs.set(overQuota, await makeSampleProject({ name: overQuota, api: `${overQuota}.example.com/v1alpha1`, edit: () => {} }));
    await kubectlOk(['create', 'namespace', overQuota]);
    await kubectlOk(['create', 'quota', 'no-pods', '--hard=pods=0', '-n', overQuota]);
    // At once: each of them takes the patience of register.
    const registering = [...dirs.keys()].map(async (name) => {
      const { exitCode, stderr } = await apisvc(['register', '--timeout', '85s'], { cwd: dirs.get(name) ?? '' });
      results.set(name, { exitCode, stderr });
    });
    await Promise.all(registering);
  });
  afterAll(() => Promise.all([...dirs.keys()].map((name) => removeProject(name, apiServiceOf(name)))));

  test.each(troubles)('$name: register says why, and registers nothing', async ({ name, words }) => {
    const { exitCode, stderr = '' } = results.get(name) ?? {};
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
    const [, message] = /^error: (.*)$/m.exec(stderr) ?? [];
    expect(message).toMatch(new RegExp(`^Deployment ${name}/${name} does not roll out: pod ${name}-\\S+${words.source}`));
    expect(stderr).toMatch(new RegExp(`^fix: .*kubectl -n ${name} describe pod ${name}-`, 'm'));
    expect(await getObject('apiservice', apiServiceOf(name))).toBeUndefined();
  });

  test('that may not even be made: register says why, and registers nothing', async () => {
    const { exitCode, stderr = '' } = results.get(overQuota) ?? {};
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
    expect(stderr).toMatch(/^error: Deployment over-quota\/over-quota does not roll out: pods ".*" is forbidden: exceeded quota: no-pods/m);
    expect(await getObject('apiservice', apiServiceOf(overQuota))).toBeUndefined();
  });
});
