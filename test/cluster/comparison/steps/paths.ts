import type { KubernetesVersion } from '../../harness/cells.ts';
import type { Answer, Client, Method } from '../client.ts';
import type { Difference, Step } from '../step.ts';
import { namespace } from '../world.ts';

/** Known and unknown paths and methods, discovery, and the objects of a new cluster. */

const step = (name: string, run: (client: Client) => Promise<unknown>, differs: readonly Difference[] = []): Step => ({
  name,
  differs,
  run: ({ admin }) => run(admin),
});

/** Answers to GET, or another method before the path. */
const answersTo = async ({ ask }: Client, ...requests: readonly string[]): Promise<Record<string, Answer>> => {
  const answers: Record<string, Answer> = {};
  for (const request of requests) {
    const [path = '', method = 'GET'] = request.split(' ').toReversed();
    answers[request] = await ask(method as Method, path);
  }
  return answers;
};

// biome-ignore lint/suspicious/noExplicitAny: JSON.
type Json = any;

/** The priorities of built-in groups are not imitated. */
const byName = (groups: Json): Json => groups.toSorted((one: Json, other: Json) => one.name.localeCompare(other.name));

/** Groups that apisvc, kubectl and extension API servers ask for. */
const wanted = [
  'apiregistration.k8s.io',
  'apps',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'discovery.k8s.io',
  'rbac.authorization.k8s.io',
  'coordination.k8s.io',
  'networking.k8s.io',
  'policy',
];

const itself = (on: KubernetesVersion, patch: string): Difference => ({
  reason: 'the simulation says that it is one',
  on,
  at: 'version.gitVersion',
  real: `v${on}.${patch}`,
  simulated: `v${on}.${patch}+apisvc.simulation`,
});

const withoutPriorities = ({ status, body }: Answer): object => {
  const { spec = {}, ...object } = body as Json;
  const { groupPriorityMinimum: _, versionPriority: __, ...rest } = spec;
  return { status, object: { ...object, spec: rest } };
};

/** The simulation does not delete collections. */
const ofSimulation = (discovery: unknown): unknown =>
  JSON.parse(JSON.stringify(discovery), (key, value) =>
    key === 'verbs' ? value.filter((verb: string) => verb !== 'deletecollection') : value,
  );

const contentOfRole = ({ status, body }: Answer): object => {
  const { rules, subjects, roleRef } = body as Json;
  return { status, rules, subjects, roleRef };
};

export const paths: readonly Step[] = [
  step('unknown-paths', (client) =>
    answersTo(
      client,
      '/nothing',
      '/api/v2',
      '/api/v1/things',
      '/apis/nothing.example.com',
      '/apis/nothing.example.com/v1',
      '/apis/nothing.example.com/v1/things',
      '/apis/apps/v7',
      '/apis/apps/v7/deployments',
      '/apis/apps/v1/things',
      `/api/v1/namespaces/${namespace}/things`,
      `/api/v1/namespaces/${namespace}/configmaps/x/things`,
      `/api/v1/namespaces/${namespace}/configmaps/x`,
      `/apis/apiregistration.k8s.io/v1/apiservices/v1.missing.example.com`,
      `/api/v1/namespaces/missing`,
      `/api/v1/namespaces/missing/configmaps/x`,
      'POST /api/v1/things',
      'DELETE /apis/nothing.example.com/v1/things/x',
    ),
  ),
  step('methods', (client) =>
    answersTo(
      client,
      `POST /api/v1/namespaces/${namespace}/configmaps/x`,
      `PUT /api/v1/namespaces/${namespace}/configmaps`,
      `PATCH /api/v1/namespaces/${namespace}/configmaps`,
      `OPTIONS /api/v1/namespaces/${namespace}/configmaps`,
      'GET /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      'DELETE /apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      'GET /apis/authentication.k8s.io/v1/tokenreviews/x',
      'POST /api/v1',
    ),
  ),
  step('health', (client) => answersTo(client, '/healthz', '/livez', '/readyz')),
  step(
    'version',
    async ({ ask }) => {
      const { status, headers, body } = await ask('GET', '/version');
      // The simulation has no build, and is compatible with no other version.
      const { major, minor, gitVersion } = body as Json;
      return { status, headers, version: { major, minor, gitVersion } };
    },
    [itself('1.37', '2'), itself('1.35', '4')],
  ),
  step('legacy-discovery', async ({ ask }) => {
    const { body, ...api } = await ask('GET', '/api');
    const { serverAddressByClientCIDRs: _, ...versions } = body as Json;
    const { body: groups, ...answer } = await ask('GET', '/apis');
    const { groups: list, ...rest } = groups as Json;
    return {
      api: { ...api, versions },
      apis: { ...answer, ...rest, groups: byName(list.filter(({ name }: Json) => wanted.includes(name))) },
    };
  }),
  step('groups', (client) => answersTo(client, ...wanted.map((group) => `/apis/${group}`))),
  step(
    'own-resources',
    async (client) =>
      ofSimulation(
        await answersTo(client, '/apis/apiregistration.k8s.io/v1', '/apis/authentication.k8s.io/v1', '/apis/authorization.k8s.io/v1'),
      ),
    [
      {
        reason: 'what the simulation keeps has no form that could change from one version to the next',
        at: '[/apis/apiregistration.k8s.io/v1].body.resources.0.storageVersionHash',
        real: 'InPBPD7+PqM=',
        simulated: undefined,
      },
    ],
  ),
  step('resources', async ({ ask }) => {
    const results: Record<string, unknown> = {};
    for (const path of ['/api/v1', '/apis/apps/v1', '/apis/discovery.k8s.io/v1', '/apis/rbac.authorization.k8s.io/v1']) {
      const { status, headers, body } = await ask('GET', path);
      const { resources, ...rest } = body as Json;
      const known = resources.filter(({ name }: Json) =>
        /^(namespaces|services|configmaps|secrets|serviceaccounts|endpointslices|deployments|(cluster)?role(binding)?s|pods)$/.test(name),
      );
      const named = known.map(({ storageVersionHash: _, ...resource }: Json) => resource);
      results[path] = { status, headers, ...rest, resources: ofSimulation(named) };
    }
    return results;
  }),
  step('aggregated-discovery', async ({ ask }) => {
    const accept = (version: string) => ({
      headers: { accept: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json` },
    });
    const { headers, status, body } = await ask('GET', '/apis', accept('v2'));
    const { items, ...rest } = body as Json;
    const own = items.filter(({ metadata }: Json) => ['apiregistration.k8s.io', 'rbac.authorization.k8s.io'].includes(metadata.name));
    const unknown = await ask('GET', '/apis', accept('v7'));
    return {
      status,
      headers,
      ...rest,
      own: ofSimulation(own),
      unknown: { status: unknown.status, headers: unknown.headers, kind: (unknown.body as Json).kind },
    };
  }),
  step('own-apiservices', async ({ ask }) => {
    const names = [
      'v1.',
      'v1.apps',
      'v1.apiregistration.k8s.io',
      'v1.rbac.authorization.k8s.io',
      'v1.authorization.k8s.io',
      'v1.discovery.k8s.io',
    ];
    const answers: Record<string, unknown> = {};
    for (const name of names) answers[name] = withoutPriorities(await ask('GET', `/apis/apiregistration.k8s.io/v1/apiservices/${name}`));
    return answers;
  }),
  step('published-authentication', async ({ ask }) => {
    const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
    return { configMap: await ask('GET', path) };
  }),
  step('own-namespaces', (client) => answersTo(client, '/api/v1/namespaces/kube-system', '/api/v1/namespaces/default')),
  step('own-roles', async ({ ask }) => {
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const names = [
      'clusterroles/cluster-admin',
      'clusterroles/system:auth-delegator',
      'clusterroles/system:discovery',
      'clusterroles/system:basic-user',
      'clusterroles/system:public-info-viewer',
      'clusterrolebindings/cluster-admin',
      'clusterrolebindings/system:discovery',
      'clusterrolebindings/system:basic-user',
      'namespaces/kube-system/roles/extension-apiserver-authentication-reader',
    ];
    const answers: Record<string, unknown> = {};
    for (const name of names) answers[name] = contentOfRole(await ask('GET', `${rbac}/${name}`));
    return answers;
  }),
];
