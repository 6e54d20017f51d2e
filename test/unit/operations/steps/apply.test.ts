import { describe, expect, test } from 'vitest';
import { Exit, RefusedError, UsageError } from '../../../../src/errors.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { checkSteps, runSteps } from '../../../../src/operations/runner.ts';
import { applyStep, noticesOf } from '../../../../src/operations/steps/apply.ts';
import { answer, clusterOf, never, notFound, status } from '../../cluster/kube-api.ts';
import { apiService, managedBy, service, withMetadata } from '../objects.ts';

interface Situation {
  readonly wanted: KubeObject;
  readonly before?: KubeObject;
  readonly after?: KubeObject;
  /** Fields of other managers. Only an apply with force succeeds. */
  readonly conflicts?: readonly (readonly [field: string, owner: string])[];
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

async function apply({ wanted, before, after = wanted, conflicts = [], force = false, dryRun = false }: Situation) {
  const patches: string[] = [];
  const progress: Progress[] = [];
  const cluster = await clusterOf(({ method, url }, response) => {
    if (method === 'GET') return before ? answer(response, 200, before) : answer(response, 404, notFound(url));
    if (dryRun || !url.includes('dryRun=All')) patches.push(url);
    const causes = conflicts.map(([field, message]) => ({ reason: 'FieldManagerConflict', field, message }));
    const refused = causes.length > 0 && !url.includes('force=true');
    return refused ? answer(response, 409, status(409, 'Conflict', 'x', { causes })) : answer(response, before ? 200 : 201, after);
  });
  const onProgress = (each: Progress): void => {
    if (each.kind !== 'step') progress.push(each);
  };
  const step = applyStep(
    { cluster, signal: never, onProgress },
    { id: 'apply', title: 'Applying', objects: [wanted], forceConflicts: force },
  );
  const applied = dryRun ? checkSteps([step]) : runSteps([step], onProgress);
  return { pairs: applied.then(() => step.pairs()), patches, progress };
}

const change = async (situation: Situation): Promise<string | undefined> => (await (await apply(situation)).pairs)[0]?.applied.change;

describe('the change of an object', () => {
  const bookkeeping = { resourceVersion: '2', uid: 'u', generation: 3, creationTimestamp: 't', managedFields: [] };

  test('is created, configured or unchanged', async () => {
    expect(await change({ wanted: service })).toBe('created');
    expect(await change({ wanted: service, before: { ...service, spec: { a: 0 } } })).toBe('configured');
    expect(await change({ wanted: service, before: service, after: withMetadata(service, bookkeeping) })).toBe('unchanged');
  });

  test('is unchanged when only the status or the resourceVersion differs', async () => {
    const after = { ...withMetadata(service, bookkeeping), status: { loadBalancer: {} } };
    expect(await change({ wanted: service, before: service, after })).toBe('unchanged');
  });

  test('comes from the server in a dry run', async () => {
    const { pairs, patches, progress } = await apply({ wanted: service, dryRun: true });
    expect((await pairs).map(({ applied }) => applied)).toEqual([{ object: 'service/wardle/api', change: 'created' }]);
    expect(progress).toEqual([]);
    expect(patches).toEqual([expect.stringContaining('dryRun=All')]);
  });
});

describe('a conflict', () => {
  const patched = 'conflict with "kubectl-patch" using apiregistration.k8s.io/v1';
  const ours = withMetadata(apiService, managedBy(['apisvc', 'Apply'], ['kubectl-patch', 'Update']));
  const bundle = [['.spec.caBundle', patched]] as const;

  const refusal = async (situation: Situation): Promise<{ error: RefusedError; patches: string[] }> => {
    const { pairs, patches } = await apply(situation);
    const error = await pairs.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(RefusedError);
    return { error: error as RefusedError, patches };
  };

  test('is reported with each field and its owner, and a fix', async () => {
    const { error, patches } = await refusal({
      wanted: service,
      before: service,
      conflicts: [
        ['.spec.a', 'conflict with "helm"'],
        ['.spec.b', patched],
      ],
    });
    expect(error.message).toBe(
      `conflict: other field managers own fields of service/wardle/api\nservice/wardle/api .spec.a: conflict with "helm"\nservice/wardle/api .spec.b: ${patched}`,
    );
    expect(error).toMatchObject({ exitCode: Exit.findings, fix: expect.stringContaining('--force-conflicts') });
    expect(patches).toHaveLength(0);
  });

  test('is overridden with --force-conflicts', async () => {
    expect(await change({ wanted: service, before: service, conflicts: [['.spec.a', 'conflict with "helm"']], force: true })).toBe(
      'unchanged',
    );
  });

  test.each(['kubectl-patch', 'kubectl-edit', 'kubectl-replace'])(
    'a caBundle of ours that was edited with %s is restored, and reported',
    async (manager) => {
      const owner = `conflict with "${manager}" using apiregistration.k8s.io/v1`;
      const { pairs, patches, progress } = await apply({ wanted: apiService, before: ours, conflicts: [['.spec.caBundle', owner]] });
      await pairs;
      expect(progress[0]).toEqual({
        kind: 'restored',
        object: 'apiservice/v1.example.com',
        conflicts: [{ field: '.spec.caBundle', owner }],
      });
      // The second request is of one version, so that only this version is overwritten.
      expect(patches.map((url) => url.includes('force=true'))).toEqual([false, false, true]);
    },
  );

  test.each([
    ['of a registration that is not ours', { before: withMetadata(apiService, managedBy(['kubectl-patch', 'Update'])), conflicts: bundle }],
    ['with another controller', { before: ours, conflicts: [['.spec.caBundle', 'conflict with "cainjector" using v1']] as const }],
    ['with a server-side applied manifest', { before: ours, conflicts: [['.spec.caBundle', 'conflict with "kubectl"']] as const }],
    [
      'with an applied manifest',
      {
        before: ours,
        conflicts: [['.spec.caBundle', 'conflict with "kubectl-client-side-apply" using apiregistration.k8s.io/v1']] as const,
      },
    ],
    ['about another field as well', { before: ours, conflicts: [...bundle, ['.spec.groupPriorityMinimum', patched]] as const }],
  ])('%s is not taken over', async (_, situation) => {
    expect((await refusal({ wanted: apiService, ...situation })).patches).toHaveLength(0);
  });
});

describe('an object of another project', () => {
  const of = (object: KubeObject, project: string) => withMetadata(object, { annotations: { 'apisvc.dev/registration': project } });
  const applyAs = async (project: string, force: boolean) => {
    const patched: string[] = [];
    const present: Readonly<Record<string, KubeObject>> = {
      '/services/api': of(service, 'wardle/first'),
      '/apiservices/v1.example.com': of(apiService, 'other/second'),
    };
    const cluster = await clusterOf(({ method, url, body }, response) => {
      if (method !== 'GET') return patched.push(url) && answer(response, 200, body);
      const found = Object.entries(present).find(([end]) => url.endsWith(end))?.[1];
      return found ? answer(response, 200, found) : answer(response, 404, notFound(url));
    });
    const objects = [service, secret, apiService].map((object) => of(object, project));
    const step = applyStep(
      { cluster, signal: never, onProgress: () => {} },
      { id: 'apply', title: 'Applying', objects, forceConflicts: force },
    );
    const error = await checkSteps([step]).catch((reason: unknown) => reason);
    return { error, pairs: step.pairs(), patched };
  };
  const secret: KubeObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'api-tls', namespace: 'wardle' } };

  test('is refused, and one error lists all of them', async () => {
    const { error, patched } = await applyAs('wardle/third', false);
    expect(error).toBeInstanceOf(RefusedError);
    expect((error as RefusedError).message.split('\n')).toEqual([
      'service/wardle/api belongs to another project: wardle/first',
      'apiservice/v1.example.com belongs to another project: other/second',
      'nothing was changed',
    ]);
    expect((error as RefusedError).fix?.split('\n')).toEqual([expect.stringContaining('--force-conflicts')]);
    // Only a dry run of the object that nobody has.
    expect(patched).toEqual([expect.stringMatching(/\/secrets\/api-tls\?.*dryRun=All/)]);
  });

  test('is taken over with --force-conflicts', async () => {
    const { error, pairs } = await applyAs('wardle/third', true);
    expect(error).toBeUndefined();
    expect(pairs.map(({ applied }) => applied.change)).toEqual(['configured', 'created', 'configured']);
  });

  test('that is taken over is reported with its former project, and no other object is', async () => {
    expect((await applyAs('wardle/third', true)).pairs.flatMap(noticesOf)).toEqual([
      { kind: 'taken-over', object: 'service/wardle/api', from: 'wardle/first' },
      { kind: 'taken-over', object: 'apiservice/v1.example.com', from: 'other/second' },
    ]);
    expect((await applyAs('wardle/first', true)).pairs.flatMap(noticesOf)).toEqual([
      { kind: 'taken-over', object: 'apiservice/v1.example.com', from: 'other/second' },
    ]);
  });

  test('is not one of this project, nor one without a record, of an earlier version', async () => {
    expect((await applyAs('wardle/first', false)).error).toMatchObject({
      message: 'apiservice/v1.example.com belongs to another project: other/second\nnothing was changed',
    });
    expect(await change({ wanted: of(service, 'wardle/first'), before: service })).toBe('configured');
  });
});

describe('several objects', () => {
  const binding: KubeObject = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'own' },
    roleRef: { kind: 'ClusterRole', name: 'own' },
  };
  const conflict = status(409, 'Conflict', 'x', {
    causes: [{ reason: 'FieldManagerConflict', field: '.spec.a', message: 'conflict with "helm"' }],
  });
  const invalid = status(422, 'Invalid', 'spec.group: Invalid value');

  /** Applies three objects to an empty cluster. `refusals` are its answers by end of the path. */
  async function applyThree(refusals: Readonly<Record<string, object>>, dryRun: boolean) {
    const patched: string[] = [];
    const cluster = await clusterOf(({ method, url, body }, response) => {
      const [path = ''] = url.split('?');
      if (method === 'GET') return answer(response, 404, notFound(url));
      // A server may refuse what it accepted in the dry run before.
      if (url.includes('dryRun=All') && !dryRun) return answer(response, 201, body);
      patched.push(path);
      const refused = Object.entries(refusals).find(([end]) => path.endsWith(end))?.[1];
      return refused ? answer(response, (refused as { code: number }).code, refused) : answer(response, 201, body);
    });
    const onProgress = () => {};
    const objects = [binding, service, apiService];
    const step = applyStep({ cluster, signal: never, onProgress }, { id: 'apply', title: 'Applying', objects, forceConflicts: false });
    const applied = dryRun ? checkSteps([step]) : runSteps([step], onProgress);
    const pairs = await applied.then(
      () => step.pairs(),
      (reason: unknown) => reason,
    );
    return { pairs, patched };
  }

  test('are all checked in a dry run, which reports all conflicts at once', async () => {
    const { pairs: error, patched } = await applyThree({ '/services/api': conflict, '/apiservices/v1.example.com': conflict }, true);
    expect(patched).toHaveLength(3);
    expect(error).toBeInstanceOf(RefusedError);
    expect((error as RefusedError).message.split('\n')).toEqual([
      'conflict: other field managers own fields of service/wardle/api',
      'service/wardle/api .spec.a: conflict with "helm"',
      'conflict: other field managers own fields of apiservice/v1.example.com',
      'apiservice/v1.example.com .spec.a: conflict with "helm"',
      'nothing was changed',
    ]);
    expect((error as RefusedError).fix).toBe(
      'Take over the fields with --force-conflicts, or stop the other field managers from setting them.',
    );
  });

  test('with a conflict and a rejection are a usage error', async () => {
    const { pairs: error } = await applyThree({ '/services/api': conflict, '/apiservices/v1.example.com': invalid }, true);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as UsageError).message).toMatch(
      /^conflict: other field managers .*\n.*"helm"\nthe cluster rejects apiservice\/v1\.example\.com: spec\.group.*\nnothing was changed$/,
    );
  });

  test('are applied until the first failure', async () => {
    const { pairs: error, patched } = await applyThree({ '/services/api': conflict, '/apiservices/v1.example.com': invalid }, false);
    expect(patched.map((path) => path.split('/').at(-1))).toEqual(['own', 'api']);
    expect((error as RefusedError).message).not.toContain('nothing was changed');
  });

  test('include a binding that a dry run cannot check before its role exists', async () => {
    const refusals = { '/own': status(404, 'NotFound', 'clusterroles.rbac.authorization.k8s.io "own" not found') };
    const { pairs } = await applyThree(refusals, true);
    expect((pairs as { applied: { change: string } }[]).map(({ applied }) => applied.change)).toEqual(['unchecked', 'created', 'created']);
    expect(((await applyThree(refusals, false)).pairs as Error).message).toContain(
      'clusterroles.rbac.authorization.k8s.io "own" not found',
    );
  });

  test('are not checked further when kube-apiserver fails', async () => {
    const { pairs: error, patched } = await applyThree({ '/own': status(500, 'InternalError', 'etcd is gone') }, true);
    expect((error as Error).message).toContain('etcd is gone');
    expect(patched).toHaveLength(1);
  });
});
