import { expect, onTestFinished, test, vi } from 'vitest';
import { RefusedError } from '../../../../src/errors.ts';
import { oneCaStep } from '../../../../src/operations/renew/one-ca.ts';
import { moment } from '../../../../src/operations/rotation/moment.ts';
import type { Rotation } from '../../../../src/operations/rotation/rotation.ts';
import { answer, status } from '../../cluster/kube-api.ts';
import { bundleOf, ca, otherCa } from '../../diagnosis/snapshots.ts';
import { apiService, bothSecret, fromBoth, fromCertificate, injectedCluster } from './injected-cluster.ts';

interface Disturbance {
  /** The number of the renewal in which the machine is suspended for a minute, from 1. */
  readonly suspendedAt?: number;
  /** The number of the renewal that fails, from 1. */
  readonly lostAt?: number;
  /** The object of a write that another writer is faster than, once. */
  readonly conflict?: string;
  /** Whether the cainjector keeps the old CA, as it does since cert-manager 1.19. */
  readonly isKept?: boolean;
}

const lost = new RefusedError('bob@ci took over the Lease');
const both = bundleOf(ca, otherCa);

/** Runs the step on two APIServices that get both CAs. */
async function runStep({ suspendedAt, lostAt, conflict, isKept = false }: Disturbance = {}) {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  let conflicts = 0;
  const world: Parameters<typeof injectedCluster>[0] = {
    apiServices: ['v1.one', 'v1.two'].map((name) => apiService(name, fromBoth, both)),
    secret: bothSecret(both),
    disturb({ method, url }, response) {
      if (method === 'GET' || conflict === undefined || !url.includes(conflict) || conflicts > 0) return false;
      conflicts += 1;
      if (world.secret) world.secret.metadata.resourceVersion = '2';
      events.push(`conflict ${conflict}`);
      answer(response, 409, status(409, 'Conflict', 'the object has been modified'));
      return true;
    },
  };
  const { where, events, progress } = await injectedCluster(world);
  const count = (event: string): number => events.filter((each) => each === event).length;
  const rotation = {
    ...where,
    to: { anchors: [otherCa] },
    renewLease: async () => {
      events.push('renew');
      if (count('renew') === lostAt) throw lost;
      if (count('renew') === suspendedAt) vi.setSystemTime(Date.now() + 60_000);
    },
  } as unknown as Rotation;
  const released = new Set<string>();
  const untilServed = async () => {
    events.push('look');
    return moment();
  };
  // The cainjector takes a moment.
  const pause = async () => {
    if (!isKept) for (const each of world.apiServices) Object.assign(each.spec ?? {}, { caBundle: bundleOf(otherCa) });
  };
  const step = oneCaStep(rotation, { untilServed, released, pause });
  const outcome = await step.run().catch((error: Error) => error);
  return {
    events,
    outcome,
    released: [...released],
    applied: progress.flatMap((each) => (each.kind === 'applied' ? [each.applied.object] : [])),
    notes: progress.flatMap((each) => (each.kind === 'note' ? [each.what] : [])),
    annotations: world.apiServices.map(({ metadata }) => metadata.annotations),
    hasSecret: world.secret !== undefined,
    state: (await step.observe()).state,
  };
}

const inOrder = ['look', 'renew', 'write v1.one', 'look', 'renew', 'write v1.two', 'look', 'renew', 'delete api-tls-both-cas'];

test('each APIService follows the Certificate again after a look at everything and a renewal of the Lease, and the Secret goes last', async () => {
  const { events, ...rest } = await runStep();
  expect(events).toEqual(inOrder);
  expect(rest).toEqual({
    ...{ outcome: undefined, released: ['v1.one', 'v1.two'], notes: [], state: 'done', hasSecret: false },
    applied: ['apiservice/v1.one', 'apiservice/v1.two'],
    annotations: [fromCertificate, fromCertificate],
  });
});

test.each([
  [1, ['look', 'renew', ...inOrder]],
  [2, ['look', 'renew', 'write v1.one', 'look', 'renew', ...inOrder.slice(3)]],
  [3, [...inOrder.slice(0, 8), 'look', 'renew', 'delete api-tls-both-cas']],
])('a machine that was suspended before write %s looks at everything again', async (suspendedAt, expected) => {
  const { events, state } = await runStep({ suspendedAt });
  expect(events).toEqual(expected);
  expect(state).toBe('done');
});

test.each(['v1.one', 'api-tls-both-cas'])('and so does one that another writer of %s was faster than', async (conflict) => {
  const { events, state, released } = await runStep({ conflict });
  const at = events.indexOf(`conflict ${conflict}`);
  expect(events.slice(at + 1, at + 3)).toEqual(['look', 'renew']);
  expect({ state, released: released.length }).toEqual({ state: 'done', released: 2 });
});

test('nothing more is written by a process that lost the Lease', async () => {
  const { outcome, annotations, hasSecret, state } = await runStep({ lostAt: 2 });
  expect(outcome).toBe(lost);
  expect({ annotations, hasSecret, state }).toEqual({ annotations: [fromCertificate, fromBoth], hasSecret: true, state: 'pending' });
});

test('a caBundle that keeps the old CA is reported with the command that removes it', async () => {
  const { notes } = await runStep({ isKept: true });
  expect(notes).toEqual(
    ['v1.one', 'v1.two'].map((name) =>
      expect.stringMatching(new RegExp(`^cert-manager 1.19 or newer keeps the old CA in the caBundle of apiservice/${name}; to remove`)),
    ),
  );
});
