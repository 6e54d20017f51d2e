import { describe, expect, test } from 'vitest';
import { DeadlineError, RefusedError } from '../../../src/errors.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import { waitForRollout } from '../../../src/workflows/rollout.ts';
import { answer, status } from '../cluster/kube-api.ts';
import { rejection, waitingFor } from './waiting.ts';

describe('a roll-out', () => {
  const deployment = (status: object, generation = 2): KubeObject =>
    ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'api', namespace: 'wardle', generation },
      spec: { replicas: 2, selector: { matchLabels: { app: 'api' } } },
      status,
    }) as KubeObject;
  const done = { observedGeneration: 2, updatedReplicas: 2, availableReplicas: 2, replicas: 2 };

  test('is over when every pod is new and available, and no old one is left', async () => {
    const { waiting, seen } = await waitingFor(
      [deployment({ ...done, observedGeneration: 1 })],
      [
        deployment({ ...done, updatedReplicas: 1 }),
        deployment({ ...done, availableReplicas: 1 }),
        deployment({ ...done, replicas: 3 }),
        deployment(done),
      ],
    );
    await waitForRollout(waiting, deployment({}));
    expect(seen()).toEqual([
      '2 of 2 pods updated, 2 available',
      '1 of 2 pods updated, 2 available',
      '2 of 2 pods updated, 1 available',
      '2 of 2 pods updated, 2 available',
    ]);
  });

  test('that is stuck fails at once', async () => {
    const conditions = [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'ReplicaSet has timed out' }];
    const { waiting } = await waitingFor([deployment({ ...done, updatedReplicas: 0, conditions })]);
    const error = await rejection(waitForRollout(waiting, deployment({})));
    expect(error).toBeInstanceOf(RefusedError);
    expect((error as RefusedError).message).toBe('Deployment wardle/api does not roll out: ReplicaSet has timed out');
  });

  describe('and its pods', () => {
    const owned = (kind: string, name: string) => ({ ownerReferences: [{ kind, name, controller: true }] });
    const replicaSet = (name: string, revision: number): object => ({
      metadata: { name, annotations: { 'deployment.kubernetes.io/revision': String(revision) }, ...owned('Deployment', 'api') },
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

    /** A wait for a roll-out that does not get on, while each look at the pods finds the next list. The time is up when there are no more. */
    async function rollingOut(...looks: readonly (readonly object[])[]) {
      const stop = new AbortController();
      const lists = [...looks];
      const { waiting, seen } = await waitingFor([stalled], [], stop.signal, ({ url }, response) => {
        const items = (found: readonly object[] = []) => answer(response, 200, { metadata: { resourceVersion: '1' }, items: found });
        if (url.includes('/replicasets?')) items([replicaSet('api-1', 1), replicaSet('api-2', 2)]);
        else if (url.includes('/events?')) items();
        else if (url.includes('/log?')) answer(response, 200, 'Error: unknown flag: --wrong\n');
        else if (url.includes('/pods?')) {
          if (lists.length === 0) stop.abort(new DeadlineError('timed out after 1s'));
          items(lists.shift());
        } else return false;
        return true;
      });
      return { error: await rejection(waitForRollout(waiting, deployment({}))), seen };
    }

    test('one that crashes again and again ends it, with its last log line', async () => {
      const { error, seen } = await rollingOut([crashing('api-2-x', 'api-2', 2)], [crashing('api-2-x', 'api-2', 3)]);
      expect(error).toBeInstanceOf(RefusedError);
      expect((error as RefusedError).message).toBe(
        'Deployment wardle/api does not roll out: pod api-2-x: container server: exit code 1 (Error), 3 restarts; last log line of server: Error: unknown flag: --wrong',
      );
      expect((error as RefusedError).fix).toContain(
        'kubectl -n wardle logs api-2-x -c server --previous; kubectl -n wardle describe pod api-2-x',
      );
      expect(seen().at(-1)).toContain('1 of 2 pods updated, 1 available; pod api-2-x: container server: exit code 1 (Error), 2 restarts');
    });

    test('one of an older ReplicaSet may do as it likes', async () => {
      const { error } = await rollingOut([crashing('api-1-x', 'api-1', 2)], [crashing('api-1-x', 'api-1', 9)]);
      expect(error).toBeInstanceOf(DeadlineError);
      expect((error as DeadlineError).message).not.toContain('api-1-x');
    });

    test('that crashed before only are told when the time is up', async () => {
      const { error } = await rollingOut([crashing('api-2-x', 'api-2', 9)]);
      expect(error).toBeInstanceOf(DeadlineError);
      expect((error as DeadlineError).message).toContain('pod api-2-x: container server: exit code 1 (Error), 9 restarts; last log line');
    });

    test('that may not be seen are not needed; that is said once', async () => {
      const stop = new AbortController();
      const { waiting, progress } = await waitingFor([stalled], [], stop.signal, ({ url }, response) => {
        if (!url.includes('/pods?')) return false;
        answer(response, 403, status(403, 'Forbidden', 'User "jane" cannot do that'));
        return true;
      });
      const waited = rejection(waitForRollout(waiting, deployment({})));
      const notes = () => progress.filter(({ kind }) => kind === 'note');
      await expect
        .poll(notes)
        .toEqual([
          { kind: 'note', what: expect.stringMatching(/^going on without a look at the pods: not allowed to list pod\/wardle\/\*/) },
        ]);
      stop.abort(new DeadlineError('timed out after 1s'));
      expect(await waited).toBeInstanceOf(DeadlineError);
      expect(notes()).toHaveLength(1);
    });
  });

  test('for which no pod may be made says why', async () => {
    const conditions = [{ type: 'ReplicaFailure', status: 'True', message: 'pods "api-2-x" is forbidden: violates PodSecurity' }];
    const { waiting, seen } = await waitingFor([deployment({ ...done, updatedReplicas: 0, conditions })], [deployment(done)]);
    await waitForRollout(waiting, deployment({}));
    expect(seen()).toEqual(['0 of 2 pods updated, 2 available; pods "api-2-x" is forbidden: violates PodSecurity']);
  });
});
