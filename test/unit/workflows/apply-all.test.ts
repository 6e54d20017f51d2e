import { describe, expect, test } from 'vitest';
import { Exit, RefusedError } from '../../../src/errors.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { applyAll } from '../../../src/workflows/apply-all.ts';
import type { Progress } from '../../../src/workflows/events.ts';
import { answer, clusterOf, never, status } from '../cluster/kube-api.ts';
import { apiService, managedBy, service, withMetadata } from './objects.ts';

interface Situation {
  readonly wanted: KubeObject;
  readonly before?: KubeObject;
  readonly after?: KubeObject;
  /** Field and owner; only an apply with force goes through. */
  readonly conflicts?: readonly (readonly [field: string, owner: string])[];
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

async function apply({ wanted, before, after = wanted, conflicts = [], force = false, dryRun = false }: Situation) {
  const patches: string[] = [];
  const progress: Progress[] = [];
  const cluster = await clusterOf(({ method, url }, response) => {
    if (method === 'GET') return before ? answer(response, 200, before) : answer(response, 404, status(404, 'NotFound', 'none'));
    patches.push(url);
    const causes = conflicts.map(([field, message]) => ({ reason: 'FieldManagerConflict', field, message }));
    const refused = causes.length > 0 && !url.includes('force=true');
    return refused ? answer(response, 409, status(409, 'Conflict', 'x', { causes })) : answer(response, before ? 200 : 201, after);
  });
  const options = { dryRun, forceConflicts: force, signal: never, onProgress: (each: Progress) => progress.push(each) };
  const pairs = applyAll(cluster, [wanted], options);
  return { pairs, patches, progress };
}

const change = async (situation: Situation): Promise<string | undefined> => (await (await apply(situation)).pairs)[0]?.applied.change;

describe('what applying did', () => {
  const bookkeeping = { resourceVersion: '2', uid: 'u', generation: 3, creationTimestamp: 't', managedFields: [] };

  test('created, configured, unchanged', async () => {
    expect(await change({ wanted: service })).toBe('created');
    expect(await change({ wanted: service, before: { ...service, spec: { a: 0 } } })).toBe('configured');
    expect(await change({ wanted: service, before: service, after: withMetadata(service, bookkeeping) })).toBe('unchanged');
  });

  test('a status of its own, or a new resourceVersion, is no change', async () => {
    const after = { ...withMetadata(service, bookkeeping), status: { loadBalancer: {} } };
    expect(await change({ wanted: service, before: service, after })).toBe('unchanged');
  });

  test('is told on the way, and asked of the server in a dry run', async () => {
    const { pairs, patches, progress } = await apply({ wanted: service, dryRun: true });
    await pairs;
    expect(progress).toEqual([{ kind: 'applied', applied: { object: 'service/wardle/api', change: 'created' } }]);
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

  test('names every field and its owner, and how to take them over', async () => {
    const { error, patches } = await refusal({
      wanted: service,
      before: service,
      conflicts: [
        ['.spec.a', 'conflict with "helm"'],
        ['.spec.b', patched],
      ],
    });
    expect(error.message).toBe(
      `other managers have set fields of service/wardle/api\nservice/wardle/api .spec.a: conflict with "helm"\nservice/wardle/api .spec.b: ${patched}`,
    );
    expect(error).toMatchObject({ exitCode: Exit.verdict, fix: expect.stringContaining('--force-conflicts') });
    expect(patches).toHaveLength(1);
  });

  test('is none with --force-conflicts', async () => {
    expect(await change({ wanted: service, before: service, conflicts: [['.spec.a', 'conflict with "helm"']], force: true })).toBe(
      'unchanged',
    );
  });

  test('a caBundle of ours that somebody typed over is put right, and that is said', async () => {
    const { pairs, progress } = await apply({ wanted: apiService, before: ours, conflicts: bundle });
    await pairs;
    expect(progress[0]).toEqual({
      kind: 'took-back',
      object: 'apiservice/v1.example.com',
      conflicts: [{ field: '.spec.caBundle', owner: patched }],
    });
  });

  test.each([
    ['of a registration that is not ours', { before: withMetadata(apiService, managedBy(['kubectl-patch', 'Update'])), conflicts: bundle }],
    ['with another controller', { before: ours, conflicts: [['.spec.caBundle', 'conflict with "cainjector" using v1']] as const }],
    ['with an applied manifest', { before: ours, conflicts: [['.spec.caBundle', 'conflict with "kubectl-client-side-apply"']] as const }],
    ['about another field as well', { before: ours, conflicts: [...bundle, ['.spec.groupPriorityMinimum', patched]] as const }],
  ])('%s is not taken over', async (_, situation) => {
    expect((await refusal({ wanted: apiService, ...situation })).patches).toHaveLength(1);
  });
});
