import { expect, onTestFinished, test, vi } from 'vitest';
import type { Registration } from '../../../../src/config/schema.ts';
import { RefusedError } from '../../../../src/errors.ts';
import { bundleText } from '../../../../src/operations/rotation/bundles.ts';
import { caCopies } from '../../../../src/operations/rotation/ca-copies.ts';
import { moment } from '../../../../src/operations/rotation/moment.ts';
import type { CertificateSet, Rotation } from '../../../../src/operations/rotation/rotation.ts';
import { trustKeeper } from '../../../../src/operations/rotation/trust-keeper.ts';
import { trustNewStep } from '../../../../src/operations/steps/trust-new.ts';
import { answer, clusterAt, never, notFound, serve, status } from '../../cluster/kube-api.ts';
import { newSet } from './fixture.ts';

const registration = {
  metadata: { namespace: 'wardle', name: 'api' },
  spec: { service: { name: 'api' }, certificates: {}, server: {} },
} as unknown as Registration;

const base64 = (...sets: readonly CertificateSet[]): string =>
  Buffer.from(bundleText(sets.flatMap(({ anchors }) => anchors))).toString('base64');

interface Disturbance {
  /** The object of a write that another writer is faster than, once. */
  readonly conflict?: string;
  /** The number of that write of the object, from 1. Default 1. */
  readonly conflictAt?: number;
  /** The number of the renewal that fails, from 1. */
  readonly lostAt?: number;
  /** The number of the renewal in which the machine is suspended for a minute, from 1. */
  readonly suspendedAt?: number;
  /** The number of the look after which the process is stopped for a minute, from 1. */
  readonly stoppedAfter?: number;
  /** How often another manager puts both CAs back into the Secret. */
  readonly untidied?: number;
  /** The number of the look that fails, from 1. */
  readonly badLook?: number;
  /** The number of the look that cannot check every endpoint, from 1. */
  readonly incompleteLook?: number;
}

const lost = new RefusedError('bob@ci took over the Lease');
const bad = new RefusedError('the Secret was changed');

/** Runs the step on two APIServices and a Secret that trust both CAs. */
async function runStep({ conflict, conflictAt = 1, untidied = 0, ...disturbance }: Disturbance = {}) {
  const { lostAt, suspendedAt, stoppedAfter, badLook, incompleteLook } = disturbance;
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const [from, to] = [await newSet(), await newSet()];
  const events: string[] = [];
  const notes: string[] = [];
  const count = (event: string): number => events.filter((each) => each === event).length;
  const apiServiceOf = (name: string) => ({
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name, resourceVersion: '1' },
    spec: { service: { namespace: 'wardle', name: 'api' }, caBundle: base64(from, to) },
  });
  const apiServices = [apiServiceOf('v1.one'), apiServiceOf('v1.two')];
  const managedFields = [
    { manager: 'kubectl-patch', operation: 'Update', time: '2026-11-28T12:00:00Z', fieldsV1: { 'f:data': { 'f:ca.crt': {} } } },
  ];
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'api-tls', namespace: 'wardle', resourceVersion: '1', managedFields },
    data: { 'ca.crt': base64(to, from) },
  };
  const url = await serve(({ method, url: path, body }, response) => {
    const name = path.split('?')[0]?.split('/').at(-1) ?? '';
    const found = [...apiServices, secret].find(({ metadata }) => metadata.name === name);
    if (name === 'apiservices') return answer(response, 200, { metadata: { resourceVersion: '1' }, items: apiServices });
    if (!found) return answer(response, 404, notFound(path));
    if (method !== 'PATCH') return answer(response, 200, found);
    events.push(`write ${name}`);
    if (name === conflict && count(`write ${name}`) === conflictAt)
      return answer(response, 409, status(409, 'Conflict', 'the object has been modified'));
    const { spec, data } = JSON.parse(body);
    if ('spec' in found) Object.assign(found.spec, spec);
    else Object.assign(found.data, count('write api-tls') > untidied ? data : { 'ca.crt': base64(to, from) });
    answer(response, 200, found);
  });
  const rotation = {
    ...{ cluster: await clusterAt(url), signal: never, forceConflicts: false, registration, kind: 'ca', direction: 'forward' },
    onProgress: ({ kind, what }: { readonly kind: string; readonly what: string }) => kind === 'note' && notes.push(what),
    now: () => new Date(),
    ...{ from, to, files: { certificate: '', key: '', caCertificate: '' } },
    renewLease: async () => {
      events.push('renew');
      if (count('renew') === lostAt) throw lost;
      // The monotonic clock stands still.
      if (count('renew') === suspendedAt) vi.setSystemTime(Date.now() + 60_000);
    },
  } as unknown as Rotation;
  const untilServed = async () => {
    const { monotonicMs, wallMs } = moment();
    events.push('look');
    if (count('look') === badLook) throw bad;
    // As the guard does while it waits.
    await keeper.keep(async () => count('look') !== incompleteLook);
    // Somebody sets the wall clock back meanwhile.
    return count('look') === stoppedAfter ? { monotonicMs: monotonicMs - 60_000, wallMs } : { monotonicMs, wallMs };
  };
  const keeper = trustKeeper(rotation);
  const step = trustNewStep(rotation, { keeper, copies: caCopies(rotation) }, untilServed);
  const outcome = await step.run().catch((error: Error) => error);
  const { state } = await step.observe();
  const narrow = [...apiServices.map(({ spec }) => spec.caBundle), secret.data['ca.crt']].map((text) => text === base64(to));
  return { events, notes, outcome, state, narrow };
}

const inOrder = ['look', 'renew', 'write v1.one', 'look', 'renew', 'write v1.two', 'look'];

test('the old CA is removed from one object after the other, each after a look at everything and a renewal of the Lease', async () => {
  const { events, outcome, state, narrow } = await runStep();
  expect(outcome).toBeUndefined();
  expect(events).toEqual([...inOrder, 'look', 'renew', 'write api-tls', 'look']);
  expect({ state, narrow }).toEqual({ state: 'done', narrow: [true, true, true] });
});

test.each([
  ['v1.one', ['look', 'renew', 'write v1.one', ...inOrder, 'look', 'renew', 'write api-tls', 'look']],
  ['api-tls', [...inOrder, 'look', 'renew', 'write api-tls', 'look', 'renew', 'write api-tls', 'look']],
])('after a conflict of %s, everything is looked at again before it is written again', async (conflict, expected) => {
  const { events, narrow } = await runStep({ conflict });
  expect(events).toEqual(expected);
  expect(narrow).toEqual([true, true, true]);
});

test.each([
  ['a suspended machine', { suspendedAt: 2 }, ['look', 'renew', 'write v1.one', 'look', 'renew']],
  ['a stopped process', { stoppedAfter: 1 }, ['look', 'renew']],
])('after %s, everything is looked at again before the next write', async (_, disturbance, before) => {
  const { events, narrow } = await runStep(disturbance);
  expect(events.slice(0, before.length)).toEqual(before);
  expect(events.slice(before.length, before.length + 2)).toEqual(['look', 'renew']);
  expect(events.filter((event) => event.startsWith('write'))).toEqual(['write v1.one', 'write v1.two', 'write api-tls']);
  expect(narrow).toEqual([true, true, true]);
});

test('after a conflict, nothing is dropped where the look finds a fault', async () => {
  const { outcome, state, narrow } = await runStep({ conflict: 'v1.one', badLook: 2 });
  expect(outcome).toBe(bad);
  expect({ state, narrow }).toEqual({ state: 'pending', narrow: [false, false, false] });
});

test.each([
  [1, [false, false, false]],
  [2, [true, false, false]],
  [3, [true, true, false]],
])('nothing more is dropped when renewal %s of the Lease fails', async (lostAt, expected) => {
  const { outcome, narrow, state } = await runStep({ lostAt });
  expect(outcome).toBe(lost);
  expect({ state, narrow }).toEqual({ state: 'pending', narrow: expected });
});

const overwrote = 'secret/wardle/api-tls: "kubectl-patch" at 2026-11-28T12:00:00Z overwrote ca.crt';

test('the CAs of the Secret are restored once after another manager overwrote them', async () => {
  const { notes, outcome, narrow } = await runStep({ untidied: 1 });
  expect(outcome).toBeUndefined();
  expect(notes).toEqual([`${overwrote} during the rotation; restoring it once`]);
  expect(narrow).toEqual([true, true, true]);
});

test('the restoration is noted once, also where another writer is faster', async () => {
  const { notes, outcome, narrow } = await runStep({ untidied: 1, conflict: 'api-tls', conflictAt: 2 });
  expect(outcome).toBeUndefined();
  expect(notes).toEqual([`${overwrote} during the rotation; restoring it once`]);
  expect(narrow).toEqual([true, true, true]);
});

test('another manager that overwrites the CAs of the Secret a second time is named', async () => {
  const { outcome, narrow } = await runStep({ untidied: 2 });
  expect(outcome).toMatchObject({ exitCode: 1, message: `${overwrote} a second time during the rotation` });
  expect(narrow).toEqual([true, true, false]);
});

test('both CAs are trusted again where an endpoint cannot be checked, and then the old CA is removed again', async () => {
  const { events, notes, outcome, state, narrow } = await runStep({ incompleteLook: 4 });
  expect(outcome).toBeUndefined();
  expect(events.filter((event) => event === 'write v1.one')).toHaveLength(3);
  expect(notes).toEqual(
    ['v1.one', 'v1.two'].map((name) => `apiservice/${name}: some endpoints cannot be checked; trusting both CAs again`),
  );
  expect({ state, narrow }).toEqual({ state: 'done', narrow: [true, true, true] });
});
