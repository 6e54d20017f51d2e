import { describe, expect, test } from 'vitest';
import { resources } from '../../../../src/cluster/resources.ts';
import { DeadlineError, RefusedError } from '../../../../src/errors.ts';
import type { KubeObject } from '../../../../src/manifests/types.ts';
import { waitForRollout } from '../../../../src/operations/steps/rollout.ts';
import { answer, status } from '../../cluster/kube-api.ts';
import { rejection, waitingFor } from '../waiting.ts';

const ref = { resource: resources.Deployment, namespace: 'wardle', name: 'api' };

describe('a rollout', () => {
  const deployment = (status: object, generation = 2): KubeObject =>
    ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'api', uid: 'api', namespace: 'wardle', generation },
      spec: { replicas: 2, selector: { matchLabels: { app: 'api' } } },
      status,
    }) as KubeObject;
  const done = { observedGeneration: 2, updatedReplicas: 2, availableReplicas: 2, replicas: 2 };

  test('ends when all pods are updated and available, and no old pod is left', async () => {
    const { waiting, states } = await waitingFor(
      [deployment({ ...done, observedGeneration: 1 })],
      [
        deployment({ ...done, updatedReplicas: 1 }),
        deployment({ ...done, availableReplicas: 1 }),
        deployment({ ...done, replicas: 3 }),
        deployment(done),
      ],
    );
    await waitForRollout(waiting, ref);
    expect(states()).toEqual([
      '2 of 2 pods updated, 2 available',
      '1 of 2 pods updated, 2 available',
      '2 of 2 pods updated, 1 available',
      '2 of 2 pods updated, 2 available',
    ]);
  });

  const stuckAt = (lastUpdateTime: string): KubeObject =>
    deployment({
      ...done,
      updatedReplicas: 0,
      conditions: [
        { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'ReplicaSet has timed out', lastUpdateTime },
      ],
    });

  test.each([
    ['exceeds its progress deadline', deployment({ ...done, updatedReplicas: 0 })],
    ['exceeded it before and exceeds it again', stuckAt('2026-06-15T11:00:00Z')],
  ])('that %s fails at once', async (_, before) => {
    const { waiting } = await waitingFor([before], [stuckAt('2026-06-15T12:00:00Z')]);
    const error = await rejection(waitForRollout(waiting, ref));
    expect(error).toBeInstanceOf(RefusedError);
    expect((error as RefusedError).message).toBe('Deployment wardle/api exceeded its progress deadline: ReplicaSet has timed out');
  });

  test('that is paused fails at once, unless it is complete', async () => {
    const paused = (status: object): KubeObject => ({ ...deployment(status), spec: { replicas: 2, paused: true } });
    const { waiting } = await waitingFor([paused({ ...done, updatedReplicas: 0 })], []);
    const error = await rejection(waitForRollout(waiting, ref));
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({
      message: expect.stringContaining('wardle/api is paused'),
      fix: expect.stringContaining('rollout resume'),
    });
    const over = await waitingFor([paused(done)], []);
    await waitForRollout(over.waiting, ref);
  });

  test('that exceeded its progress deadline before this run is awaited', async () => {
    const { waiting, states } = await waitingFor([stuckAt('2026-06-15T11:00:00Z')], [stuckAt('2026-06-15T11:00:00Z'), deployment(done)]);
    await waitForRollout(waiting, ref);
    expect(states()).toEqual(['0 of 2 pods updated, 2 available; ReplicaSet has timed out']);
  });

  describe('and its pods', () => {
    const owned = (kind: string, name: string) => ({ ownerReferences: [{ kind, name, uid: name, controller: true }] });
    const replicaSet = (name: string, revision: number): object => ({
      metadata: { name, uid: name, annotations: { 'deployment.kubernetes.io/revision': String(revision) }, ...owned('Deployment', 'api') },
    });
    const crashing = (name: string, owner: string, restartCount: number): object => ({
      metadata: { name, uid: name, ...owned('ReplicaSet', owner) },
      status: {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'server',
            restartCount,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, reason: 'Error' } },
          },
        ],
      },
    });
    const stalled = deployment({ ...done, updatedReplicas: 1, availableReplicas: 1 });

    /**
     * Waits for a rollout that makes no progress. Each list of pods returns the next of `lists`;
     * the deadline passes after the last one.
     */
    const rollingOut = (...lists: readonly (readonly object[])[]) => rollingOutFor(stalled, lists);

    /**
     * @param hide a part of the URLs that are forbidden
     * @param busy the end of the URLs that are answered with 503 the first time
     */
    async function rollingOutFor(
      stalled: KubeObject,
      given: readonly (readonly object[])[],
      { hide = 'nothing', busy = 'nothing' }: { readonly hide?: string; readonly busy?: string } = {},
    ) {
      const asked: string[] = [];
      const stop = new AbortController();
      const lists = [...given];
      const { waiting, states } = await waitingFor([stalled], [], stop.signal, ({ url }, response) => {
        const items = (found: readonly object[] = []) => answer(response, 200, { metadata: { resourceVersion: '1' }, items: found });
        asked.push(decodeURIComponent(url.replaceAll('+', ' ')));
        if (url.includes(hide)) answer(response, 403, status(403, 'Forbidden', 'User "jane" cannot do that'));
        else if (url.endsWith(busy) && asked.filter((each) => each.endsWith(busy)).length === 1) {
          answer(response, 503, status(503, 'ServiceUnavailable', 'try again'));
        } else if (url.includes('/replicasets?')) items([replicaSet('api-1', 1), replicaSet('api-2', 2)]);
        else if (url.includes('/events?')) items();
        else if (url.includes('/log?')) answer(response, 200, 'Error: unknown flag: --wrong\n');
        else if (url.includes('/pods?')) {
          if (lists.length === 0) stop.abort(new DeadlineError('timed out after 1s'));
          items(lists.shift());
        } else return false;
        return true;
      });
      return { error: await rejection(waitForRollout(waiting, ref)), states, asked };
    }

    test('fail it when one keeps crashing, with its last log line', async () => {
      const { error, states } = await rollingOut([crashing('api-2-x', 'api-2', 2)], [crashing('api-2-x', 'api-2', 3)]);
      expect(error).toBeInstanceOf(RefusedError);
      expect((error as RefusedError).message).toBe(
        'Deployment wardle/api failed to roll out: pod api-2-x: container server: exit code 1 (Error), 3 restarts; last log line of server: Error: unknown flag: --wrong',
      );
      expect((error as RefusedError).fix).toContain(
        'kubectl -n wardle logs api-2-x -c server --previous; kubectl -n wardle describe pod api-2-x',
      );
      expect(states().at(-1)).toContain('1 of 2 pods updated, 1 available; pod api-2-x: container server: exit code 1 (Error), 2 restarts');
    });

    test('of an older ReplicaSet are ignored', async () => {
      const { error } = await rollingOut([crashing('api-1-x', 'api-1', 2)], [crashing('api-1-x', 'api-1', 9)]);
      expect(error).toBeInstanceOf(DeadlineError);
      expect((error as DeadlineError).message).not.toContain('api-1-x');
    });

    test('that crashed only before this run are reported at the deadline', async () => {
      const { error } = await rollingOut([crashing('api-2-x', 'api-2', 9)]);
      expect(error).toBeInstanceOf(DeadlineError);
      expect((error as DeadlineError).message).toContain('pod api-2-x: container server: exit code 1 (Error), 9 restarts; last log line');
    });

    test('are listed by its selector, also with expressions only', async () => {
      const matchExpressions = [
        { key: 'app', operator: 'In', values: ['api', 'api-2'] },
        { key: 'tier', operator: 'NotIn', values: ['web'] },
        { key: 'canary', operator: 'DoesNotExist' },
        { key: 'team', operator: 'Exists' },
      ];
      const selecting = { ...stalled, spec: { replicas: 2, selector: { matchExpressions } } } as KubeObject;
      const { asked } = await rollingOutFor(selecting, [[crashing('api-2-x', 'api-2', 1)]]);
      const selector = /labelSelector=(.*)$/;
      const selectors = asked.filter((url) => /\/(pods|replicasets)\?/.test(url)).map((url) => selector.exec(url)?.[1]);
      expect(new Set(selectors)).toEqual(new Set(['app in (api,api-2),tier notin (web),!canary,team']));
    });

    test('of the latest ReplicaSet are checked, regardless of older ones', async () => {
      const old = Array.from({ length: 20 }, (_, index) => crashing(`api-1-${index}`, 'api-1', 9));
      const { error } = await rollingOut([...old, crashing('api-2-x', 'api-2', 2)], [...old, crashing('api-2-x', 'api-2', 3)]);
      expect((error as RefusedError).message).toMatch(/failed to roll out: pod api-2-x: .*; last log line of server: Error: unknown flag/);
    });

    test('of a single ReplicaSet are checked without the permission to list ReplicaSets', async () => {
      const hide = '/replicasets?';
      const mixed = await rollingOutFor(
        stalled,
        [2, 3].map((restarts) => [crashing('api-1-x', 'api-1', restarts), crashing('api-2-x', 'api-2', restarts)]),
        { hide },
      );
      expect(mixed.error).toBeInstanceOf(DeadlineError);
      const one = await rollingOutFor(
        stalled,
        [2, 3].map((restarts) => [crashing('api-2-x', 'api-2', restarts)]),
        { hide },
      );
      expect(one.error).toBeInstanceOf(RefusedError);
    });

    test('are checked again when kube-apiserver was busy', async () => {
      const { error, asked } = await rollingOutFor(stalled, [[crashing('api-2-x', 'api-2', 2)], [crashing('api-2-x', 'api-2', 3)]], {
        busy: '/deployments/api',
      });
      expect(asked.filter((url) => url.endsWith('/deployments/api')).length).toBeGreaterThan(1);
      expect(error).toBeInstanceOf(RefusedError);
    });

    test('that the user may not list are reported once as not checked', async () => {
      const stop = new AbortController();
      const { waiting, progress } = await waitingFor([stalled], [], stop.signal, ({ url }, response) => {
        if (!url.includes('/pods?')) return false;
        answer(response, 403, status(403, 'Forbidden', 'User "jane" cannot do that'));
        return true;
      });
      const waited = rejection(waitForRollout(waiting, ref));
      const notes = () => progress.filter(({ kind }) => kind === 'note');
      await expect
        .poll(notes)
        .toEqual([{ kind: 'note', what: expect.stringMatching(/^pods not checked: not allowed to list pods in namespace "wardle"/) }]);
      stop.abort(new DeadlineError('timed out after 1s'));
      expect(await waited).toBeInstanceOf(DeadlineError);
      expect(notes()).toHaveLength(1);
    });
  });

  test('whose pods are forbidden reports the reason', async () => {
    const conditions = [{ type: 'ReplicaFailure', status: 'True', message: 'pods "api-2-x" is forbidden: violates PodSecurity' }];
    const { waiting, states } = await waitingFor([deployment({ ...done, updatedReplicas: 0, conditions })], [deployment(done)]);
    await waitForRollout(waiting, ref);
    expect(states()).toEqual(['0 of 2 pods updated, 2 available; pods "api-2-x" is forbidden: violates PodSecurity']);
  });
});
