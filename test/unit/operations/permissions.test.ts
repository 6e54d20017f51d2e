import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../src/cluster/cluster.ts';
import { refOf } from '../../../src/cluster/objects.ts';
import type { Need } from '../../../src/cluster/status.ts';
import { ClusterError, Exit, RefusedError } from '../../../src/errors.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { requireAccess } from '../../../src/operations/permissions.ts';
import { applyStep } from '../../../src/operations/steps/apply.ts';
import { availableStep } from '../../../src/operations/steps/available.ts';
import { endpointsStep } from '../../../src/operations/steps/endpoints.ts';
import { takeoverFault } from '../../../src/operations/steps/takeover.ts';
import { answer, clusterOf, never, notFound } from '../cluster/kube-api.ts';
import { apiService, service, withMetadata } from './objects.ts';

interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
}

/** The needs of the steps that apply these objects and wait for them. */
function needsOf(cluster: Cluster, objects: readonly KubeObject[]): readonly Need[] {
  const waiting = { cluster, signal: never, onProgress: () => {} };
  const steps = [
    applyStep(waiting, { id: 'apply', title: 'Applying', objects, forceConflicts: false }),
    ...(objects.includes(apiService) ? [availableStep(waiting, ['v1.example.com'])] : []),
    endpointsStep(waiting, 'wardle', 'api'),
  ];
  return steps.flatMap((step) => step.needs());
}

describe('permissions', () => {
  /** A cluster that allows what `allow` returns and has these objects. Records the reviews. */
  async function reviews(allow: (attributes: Attributes) => boolean, present: readonly KubeObject[] = []) {
    const asked: Attributes[] = [];
    const cluster = await clusterOf(({ method, url, body }, response) => {
      if (method === 'GET') {
        const found = present.find(({ metadata }) => url.endsWith(`/${metadata.name}`));
        return found ? answer(response, 200, found) : answer(response, 404, notFound(url));
      }
      if (url.endsWith('/selfsubjectreviews')) return answer(response, 201, { status: { userInfo: { username: 'jane' } } });
      const { resourceAttributes } = JSON.parse(body).spec;
      asked.push(resourceAttributes);
      answer(response, 201, { status: { allowed: allow(resourceAttributes) } });
    });
    const questions = (): string[] => {
      const texts = asked.map(({ verb, resource, namespace, name }) => [verb, resource, namespace, name].filter(Boolean).join(' '));
      return [...new Set(texts)].sort();
    };
    return { cluster, questions };
  }

  test('that are optional are granted with the others, and refuse nothing alone', async () => {
    const ref = { resource: { apiVersion: 'example.com/*', kind: '*', plural: '*', namespaced: false }, namespace: undefined, name: '*' };
    const optional: Need = { verb: 'list', ref, optional: true };
    const { cluster } = await reviews(() => false);
    await requireAccess(cluster, [optional], [], never);
    await expect(requireAccess(cluster, [{ verb: 'get', ref: refOf(service) }, optional], [], never)).rejects.toMatchObject({
      message: expect.stringMatching(/^user "jane" is not allowed to get services\n/),
      fix: expect.stringContaining('\n- {apiGroups: ["example.com"], resources: ["*"], verbs: [list]}\n'),
    });
  });

  test('are checked for everything that register does, and no more', async () => {
    const { cluster, questions } = await reviews(() => true);
    await requireAccess(cluster, needsOf(cluster, [service, apiService]), [service, apiService], never);
    expect(questions()).toEqual([
      'create apiservices',
      'create services wardle',
      'get apiservices v1.example.com',
      'get services wardle api',
      'list apiservices v1.example.com',
      'list endpointslices wardle',
      'patch apiservices v1.example.com',
      'patch services wardle api',
      'watch apiservices v1.example.com',
      'watch endpointslices wardle',
    ]);
  });

  test('to create are checked only for objects that do not exist', async () => {
    const { cluster, questions } = await reviews(({ verb }) => verb !== 'create', [service, apiService]);
    await requireAccess(cluster, needsOf(cluster, [service, apiService]), [service, apiService], never);
    expect(questions().filter((question) => question.startsWith('create'))).toEqual([]);
    const { cluster: half } = await reviews(({ verb }) => verb !== 'create', [service]);
    await expect(requireAccess(half, needsOf(half, [service, apiService]), [service, apiService], never)).rejects.toThrow(
      'not allowed to create apiservices.apiregistration.k8s.io\nnothing was changed',
    );
  });

  test('to create are checked for objects that the user may not get', async () => {
    const { cluster } = await reviews(({ verb }) => verb !== 'get' && verb !== 'create', [service]);
    await expect(requireAccess(cluster, needsOf(cluster, [service]), [service], never)).rejects.toThrow(
      'not allowed to get, create services\nnothing was changed',
    );
  });

  test('that are missing are reported together, with the command that grants them', async () => {
    const { cluster } = await reviews(({ verb, resource }) => !(verb === 'patch' || resource === 'endpointslices'));
    const error = await requireAccess(cluster, needsOf(cluster, [service, apiService]), [service, apiService], never).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ClusterError);
    expect(error).toMatchObject({
      exitCode: Exit.unreachable,
      message:
        'user "jane" is not allowed to patch services; patch apiservices.apiregistration.k8s.io; list, watch endpointslices.discovery.k8s.io\nnothing was changed',
    });
    expect((error as ClusterError).fix).toBe(`A cluster administrator can grant the permissions:
kubectl auth reconcile -f - <<'EOF'
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: "apisvc:jane", namespace: "wardle"}
rules:
- {apiGroups: [""], resources: [services], resourceNames: ["api"], verbs: [patch]}
- {apiGroups: ["discovery.k8s.io"], resources: [endpointslices], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: "apisvc:jane", namespace: "wardle"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: "apisvc:jane"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "jane"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "apisvc:jane"}
rules:
- {apiGroups: ["apiregistration.k8s.io"], resources: [apiservices], resourceNames: ["v1.example.com"], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "apisvc:jane"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "apisvc:jane"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "jane"}]
EOF`);
  });

  test('of a cluster that does not name the user are reported with the name in the kubeconfig', async () => {
    const cluster = await clusterOf(({ url }, response) =>
      url.endsWith('/selfsubjectreviews')
        ? answer(response, 404, '404 page not found')
        : answer(response, 201, { status: { allowed: false } }),
    );
    await expect(requireAccess(cluster, [{ verb: 'get', ref: refOf(service) }], [], never)).rejects.toThrow(
      'user "test" is not allowed to',
    );
  });
});

describe('the takeover guard', () => {
  const guard = async (found: KubeObject | undefined): Promise<unknown> => {
    const cluster = await clusterOf(({ url }, response) => (found ? answer(response, 200, found) : answer(response, 404, notFound(url))));
    return takeoverFault(cluster, [apiService], never);
  };
  const pointingAt = (target: object | undefined): KubeObject => ({
    ...apiService,
    spec: { ...(apiService.spec as object), service: target },
  });

  test('allows a new APIService, and one that points at this Service', async () => {
    expect(await guard(undefined)).toBeUndefined();
    expect(await guard(pointingAt({ name: 'api', namespace: 'wardle', port: 8443 }))).toBeUndefined();
  });

  test.each([
    [
      'another Service',
      pointingAt({ name: 'api', namespace: 'other' }),
      /points at Service other\/api; registering would redirect the API/,
    ],
    ['a Local APIService', pointingAt(undefined), /is Local: the API is built into kube-apiserver or defined by/],
    [
      'a Local APIService that kube-apiserver manages',
      withMetadata(pointingAt(undefined), { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'true' } }),
      /is Local: the API is built into kube-apiserver or defined by/,
    ],
    [
      'the label of kube-apiserver',
      withMetadata(apiService, { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } }),
      /has the label kube-aggregator\.kubernetes\.io\/automanaged/,
    ],
  ])('refuses %s, with a fix', async (_, found, message) => {
    const error = await guard(found);
    expect(error).toBeInstanceOf(RefusedError);
    expect((error as RefusedError).message).toMatch(message);
    expect((error as RefusedError).message).not.toContain('\n');
    expect((error as RefusedError).fix).toBeDefined();
    if (/ is Local: /.test((error as RefusedError).message)) expect((error as RefusedError).fix).not.toContain('kubectl');
  });
});
