import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPage } from '../../docs/transcripts.ts';
import { type AnyApiProject, installAnyApiProject } from '../harness/any-api-project.ts';
import { apisvc, kubectl } from '../harness/commands.ts';
import { kubectlOk } from '../harness/projects.ts';
import { expectAgreement, placesOf, rotateOk } from '../harness/rotations.ts';
import { isThorough } from '../harness/thorough.ts';

/** The permissions that docs/permissions.md lists for `rotate` suffice, and each is needed. */

const name = 'rotate-rights';
const metrics = `${name}-metrics`;
let project: AnyApiProject;

interface Right {
  readonly resource: string;
  readonly verb: string;
  /** Whether only some flags need it. */
  readonly only: 'ca' | 'nudge' | undefined;
}

const groups: Readonly<Record<string, string>> = {
  leases: 'coordination.k8s.io',
  apiservices: 'apiregistration.k8s.io',
  endpointslices: 'discovery.k8s.io',
  deployments: 'apps',
  replicasets: 'apps',
};
const named: Readonly<Record<string, readonly string[]>> = { secrets: [`${name}-tls`], services: [name] };

/** The table of required permissions, one entry for each verb of a resource. */
function documented(): Right[] {
  const page = readPage('docs/permissions.md');
  const section = page.slice(page.indexOf('\n## rotate\n'), page.indexOf('These permissions are optional:', page.indexOf('\n## rotate\n')));
  const rows = section.split('\n').filter((line) => /^\| (?!Resource|-)/.test(line));
  return rows.flatMap((row) => {
    const [, cell = '', verbs = ''] = row.split('|').map((each) => each.trim());
    const only = cell.includes('new CA') ? 'ca' : cell.includes('--nudge') ? 'nudge' : undefined;
    const resources = cell
      .replace(/, with .*| in the .*/, '')
      .replace('the Secret', 'secrets')
      .replace('the Service', 'services')
      .split(', ');
    return resources.flatMap((resource) => verbs.split(', ').map((verb): Right => ({ resource, verb, only })));
  });
}

const rights = documented();
const withoutRight = (index: number): string => `without-${index}`;

/** Everyone has the rights of their flags, except one. */
const usersOf = ({ only }: Right, index: number): string[] => [
  ...(only === undefined ? ['plain'] : []),
  ...(only !== 'nudge' ? ['ca', 'ca-and-waits'] : []),
  ...(only !== 'ca' ? ['nudge'] : []),
  ...rights.map((_, other) => withoutRight(other)).filter((user) => user !== withoutRight(index)),
];

function rbacObjects(right: Right, index: number): object[] {
  const { resource, verb } = right;
  const cluster = resource === 'apiservices';
  const metadata = { name: `${name}-${index}`, ...(cluster ? {} : { namespace: name }) };
  const kind = cluster ? 'ClusterRole' : 'Role';
  const rbac = 'rbac.authorization.k8s.io';
  const rule = { apiGroups: [groups[resource] ?? ''], resources: [resource], verbs: [verb] };
  return [
    { apiVersion: `${rbac}/v1`, kind, metadata, rules: [{ ...rule, ...(named[resource] ? { resourceNames: named[resource] } : {}) }] },
    {
      apiVersion: `${rbac}/v1`,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: rbac, kind, name: metadata.name },
      subjects: usersOf(right, index).map((user) => ({ apiGroup: rbac, kind: 'User', name: user })),
    },
  ];
}

beforeAll(async () => {
  project = await installAnyApiProject({ name, replicas: 1 });
  await kubectlOk(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: rights.flatMap(rbacObjects) });
  // What makes the wait for kube-apiserver short.
  const leases = ['--verb=list,watch', '--resource=leases.coordination.k8s.io'];
  await kubectlOk(['create', 'role', '-n', 'kube-system', name, ...leases]);
  await kubectlOk(['create', 'rolebinding', '-n', 'kube-system', name, `--role=${name}`, '--user=ca-and-waits']);
  await kubectlOk(['create', 'clusterrole', metrics, '--verb=get', '--non-resource-url=/metrics']);
  await kubectlOk(['create', 'clusterrolebinding', metrics, `--clusterrole=${metrics}`, '--user=ca-and-waits']);
  // With --as, verify reports what the user may not do with the API.
  const users = ['plain', 'ca', 'ca-and-waits', 'nudge'].map((user) => `--user=${user}`);
  await kubectlOk(['create', 'clusterrole', name, '--verb=list', `--resource=things.${project.apiService.replace('v1.', '')}`]);
  await kubectlOk(['create', 'clusterrolebinding', name, `--clusterrole=${name}`, ...users]);
});

afterAll(async () => {
  await kubectl(['delete', 'apiservice', project.apiService, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
  await kubectl(['delete', 'role,rolebinding', '-n', 'kube-system', name, '--ignore-not-found']);
  const clusterWide = [name, metrics, ...rights.flatMap(({ resource }, index) => (resource === 'apiservices' ? [`${name}-${index}`] : []))];
  await kubectl(['delete', 'clusterrole', ...clusterWide, '--ignore-not-found']);
  await kubectl(['delete', 'clusterrolebinding', ...clusterWide, '--ignore-not-found']);
});

test('the page lists the rights', () => {
  expect(rights.length).toBeGreaterThan(15);
});

test.each(rights.map(({ verb, resource }, index) => [verb, resource, index] as const))(
  'without %s of %s, nothing is changed',
  async (verb, resource, index) => {
    const before = await placesOf(project, name);
    const { exitCode, stderr } = await apisvc(['rotate', '-C', project.dir, '--ca', '--nudge', '--as', withoutRight(index)]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 3 });
    const full = `${resource}${groups[resource] ? `.${groups[resource]}` : ''}`;
    expect(stderr).toContain(`error: user "${withoutRight(index)}" is not allowed to ${verb} ${full}\nnothing was changed\n`);
    expect(await placesOf(project, name)).toEqual(before);
  },
);

test.each([
  ['plain', []],
  ['ca-and-waits', ['--ca', '--soak', '0s']],
  // Without the optional rights, kube-apiserver has two minutes to pick up the caBundles.
  ...(isThorough
    ? ([
        ['nudge', ['--nudge']],
        ['ca', ['--ca', '--soak', '0s']],
      ] as const)
    : []),
] as const)('all rights of the page are enough (%s)', async (user, flags) => {
  const { files: before } = await placesOf(project, name);
  const { stderr } = await rotateOk(project, ...flags, '--as', user);
  expect(stderr.includes('note: waiting 2m10s: failed to find the kube-apiservers')).toBe(user === 'ca');
  expect((await expectAgreement(project, name)).leaf).not.toEqual(before.leaf);
});
