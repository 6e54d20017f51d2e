import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logCommand, type PodProblem, problemOf as problemAt } from '../../../src/snapshot/pod-problem.ts';
import type { ContainerView, Ended, PodEvent, PodView } from '../../../src/snapshot/types.ts';
import { now, readyPod, seen } from '../diagnosis/snapshots.ts';

const ago = (seconds: number): string => new Date(now.getTime() - seconds * 1000).toISOString();
const running = { kind: 'running', startedAt: ago(5) } as const;
const unready: PodView = { ...readyPod, ready: false, prepared: false };
const server: ContainerView = { name: 'server', init: false, ready: false, restarts: 0, state: running, before: undefined };
const podOf = (...containers: readonly Partial<ContainerView>[]): PodView => ({
  ...unready,
  containers: containers.map((each) => ({ ...server, ...each })),
});
const waiting = (reason: string, message = ''): ContainerView['state'] => ({ kind: 'waiting', reason, message });
const ended = (exitCode: number, reason = 'Error', message = ''): Ended => ({ kind: 'ended', exitCode, reason, message });
const problemOf = (pod: PodView): PodProblem | undefined => problemAt(pod, now);
const withEvents = (pod: PodView, ...events: readonly PodEvent[]): PodView => ({ ...pod, events: seen(events) });

describe('a container', () => {
  test.each<[string, Partial<ContainerView>, PodProblem['kind'] | undefined]>([
    ['whose image can not be had', { state: waiting('ErrImagePull') }, 'image'],
    ['whose image must not be asked for', { state: waiting('ErrImageNeverPull') }, 'image'],
    ['that lacks a Secret for its environment', { state: waiting('CreateContainerConfigError', 'secret "x" not found') }, 'cannot-start'],
    ['that the runtime can not start', { state: waiting('RunContainerError') }, 'cannot-start'],
    ['that never started, and waits', { state: waiting('CrashLoopBackOff'), before: ended(128, 'StartError') }, 'cannot-start'],
    ['that never started', { state: ended(128, 'ContainerCannotRun') }, 'cannot-start'],
    ['that waits after it has ended', { state: waiting('CrashLoopBackOff'), before: ended(1), restarts: 2 }, 'crashing'],
    ['that has ended', { state: ended(1) }, 'crashing'],
    ['that has ended in peace, as no server should', { state: ended(0, 'Completed') }, 'crashing'],
    ['that runs again', { state: running, before: ended(2), restarts: 1 }, 'crashing'],
    ['that is being made', { state: waiting('ContainerCreating') }, undefined],
    ['that waits for those before it', { state: waiting('PodInitializing') }, undefined],
    ['that runs', { state: running }, 'not-ready'],
    ['that was killed for its memory', { state: ended(137, 'OOMKilled') }, 'crashing'],
  ])('%s', (_, change, kind) => {
    expect(problemOf(podOf(change))?.kind).toBe(kind);
  });

  test('that is ready is not the cause, whatever its history', () => {
    const sidecar = { name: 'sidecar', ready: true, restarts: 9, before: ended(1) };
    expect(problemOf(podOf({}, sidecar))).toMatchObject({ kind: 'not-ready', container: 'server' });
  });

  test('that ended long ago and has run since does not crash', () => {
    const restarted = (startedAt: string) => problemOf(podOf({ state: { ...running, startedAt }, before: ended(1), restarts: 1 }))?.kind;
    expect(restarted(ago(599))).toBe('crashing');
    expect(restarted(ago(601))).toBe('not-ready');
  });

  test.each(['Unknown', 'ContainerStatusUnknown'])('that runs after an unknown termination does not crash: %s', (reason) => {
    expect(problemOf(podOf({ state: running, before: ended(255, reason), restarts: 1 }))?.kind).toBe('not-ready');
  });

  test('that has ended comes before one that runs, whatever their restarts', () => {
    const crash = { state: waiting('CrashLoopBackOff'), before: ended(1), restarts: 1 };
    expect(problemOf(podOf({ name: 'sidecar', state: running, before: ended(1), restarts: 9 }, crash))?.container).toBe('server');
  });

  test('that initializes the pod may end', () => {
    const init = { name: 'prepare', init: true, state: ended(0, 'Completed') };
    expect(problemOf(podOf(init, { state: waiting('PodInitializing') }))).toBeUndefined();
    expect(problemOf(podOf({ ...init, state: ended(1) }, { state: waiting('PodInitializing') }))).toMatchObject({
      kind: 'crashing',
      container: 'prepare',
    });
  });

  test('with the most restarts is the likely cause', () => {
    const crash = { state: waiting('CrashLoopBackOff'), before: ended(1) };
    expect(problemOf(podOf({ ...crash, restarts: 2 }, { ...crash, name: 'etcd', restarts: 4 }))?.container).toBe('etcd');
  });
});

describe('the evidence', () => {
  const crashed = podOf({ state: ended(1), restarts: 1 });

  test('has the exit code, the termination message and the last line of the log', () => {
    const pod = { ...podOf({ state: ended(1, 'Error', 'first\nlast words\n'), restarts: 1 }), lastLogLine: seen('no such flag') };
    expect(problemOf(pod)?.evidence).toEqual([
      'container server: exit code 1 (Error), 1 restart',
      'container server: last words',
      'last log line of server: no such flag',
    ]);
  });

  test('says a termination message once that comes from the log', () => {
    const pod = { ...podOf({ state: ended(1, 'Error', 'first\nno such flag\n'), restarts: 1 }), lastLogLine: seen('no such flag') };
    expect(problemOf(pod)?.evidence).toEqual(['container server: exit code 1 (Error), 1 restart', 'last log line of server: no such flag']);
  });

  test('has the failed probe where the kubelet may have stopped the container', () => {
    const unhealthy = { reason: 'Unhealthy', message: 'Liveness probe failed: HTTP probe failed with statuscode: 500' };
    expect(problemOf(withEvents(podOf({ state: ended(137) }), unhealthy))?.evidence).toContain(`Unhealthy: ${unhealthy.message}`);
    expect(problemOf(withEvents(crashed, unhealthy))?.evidence).toHaveLength(1);
  });

  test('of a pod without containers is in its events', () => {
    const setup = { reason: 'FailedMount', message: 'MountVolume.SetUp failed for volume "tls" : secret "api-tls" not found' };
    const pod = withEvents(podOf({ state: waiting('ContainerCreating') }), { reason: 'BackOff', message: 'x' }, setup);
    expect(problemOf(pod)).toMatchObject({ kind: 'cannot-start', evidence: [`FailedMount: ${setup.message}`] });
  });

  test('of a pod that runs is the failed probe', () => {
    const probe = { reason: 'Unhealthy', message: 'Readiness probe failed: HTTP probe failed with statuscode: 500' };
    const mount = { reason: 'FailedMount', message: 'long ago' };
    expect(problemOf(withEvents(podOf({}), mount, probe))).toMatchObject({ kind: 'not-ready', evidence: [`Unhealthy: ${probe.message}`] });
  });

  test('of a pod that runs has the probe and the last line of the log once the probe has failed', () => {
    const pod = { ...podOf({ readinessProbe: 'HTTPS GET /readyz at port 8443' }), lastLogLine: seen('still waiting for etcd') };
    expect(problemOf(pod)).toMatchObject({ kind: 'not-ready', evidence: [] });
    expect(problemOf(withEvents(pod, { reason: 'Unhealthy', message: 'x' }))?.evidence).toEqual([
      'Unhealthy: x',
      'readiness probe of server: HTTPS GET /readyz at port 8443',
      'last log line of server: still waiting for etcd',
    ]);
  });

  test('of a pod whose set-up is done has no set-up problem', () => {
    const pod = withEvents(podOf({ state: waiting('ContainerCreating') }), {
      reason: 'FailedMount',
      message: 'failed to sync secret cache',
    });
    expect(problemOf(pod)?.kind).toBe('cannot-start');
    expect(problemOf({ ...pod, prepared: true })).toBeUndefined();
  });

  test('of a pod on a node that stopped reporting names the node', () => {
    const pod = { ...unready, unready: { reason: '', message: '' } };
    const silent = 'not ready, although all containers were ready when node node-1 last reported';
    expect(problemOf(pod)).toMatchObject({ kind: 'node', node: 'node-1', evidence: [silent] });
    const event = { reason: 'NodeNotReady', message: 'Node is not ready' };
    expect(problemOf(withEvents(pod, event))?.evidence).toEqual([silent, 'NodeNotReady: Node is not ready']);
  });

  test('of a pod with a readiness gate is the message of the kubelet', () => {
    const message = 'the status of pod readiness gate "x" is not "True", but False';
    const pod = { ...unready, unready: { reason: 'ReadinessGatesNotReady', message } };
    expect(problemOf(pod)).toMatchObject({ kind: 'gate', evidence: [message] });
  });

  test('of a pod that does not terminate is the time when it should have', () => {
    const leaving = (goneBy: string) => problemOf({ ...unready, deleting: true, goneBy });
    expect(leaving(ago(29))).toBeUndefined();
    expect(leaving(ago(31))).toMatchObject({
      kind: 'terminating',
      evidence: [`still exists, although its grace period ended at ${ago(31)}`],
    });
  });

  test('is short, however long the messages are', () => {
    const pod = { ...podOf({ state: ended(1, 'Error', 'y'.repeat(5000)) }), lastLogLine: seen('z'.repeat(5000)) };
    for (const line of problemOf(pod)?.evidence ?? []) expect(line.length).toBeLessThan(600);
  });
});

test('the log of the previous run exists only after a restart', () => {
  const command = (pod: PodView) => logCommand('wardle', problemOf(pod) as PodProblem);
  expect(command(podOf({ state: ended(1) }))).toBe('kubectl -n wardle logs api-0 -c server');
  expect(command(podOf({ state: ended(1), before: ended(1) }))).toBe('kubectl -n wardle logs api-0 -c server --previous');
});

describe('a pod', () => {
  const state = fc.constantFrom<ContainerView['state']>(waiting('ErrImagePull'), ended(1), running, waiting('CrashLoopBackOff'));
  const container = fc.record({
    name: fc.string(),
    init: fc.boolean(),
    ready: fc.boolean(),
    restarts: fc.nat(9),
    state,
    before: fc.option(fc.constant(ended(1)), { nil: undefined }),
  });

  test('that is ready, terminates or has finished has no problem', () => {
    const over = fc.constantFrom<Partial<PodView>>({ ready: true }, { deleting: true }, { phase: 'Failed' }, { phase: 'Succeeded' });
    fc.assert(
      fc.property(fc.array(container), over, (containers, change) => {
        expect(problemOf({ ...unready, containers, unscheduled: 'no node', ...change })).toBeUndefined();
      }),
    );
  });

  test('that is unschedulable has no other problem', () => {
    fc.assert(
      fc.property(fc.array(container), (containers) => {
        expect(problemOf({ ...unready, containers, unscheduled: 'no node' })).toMatchObject({
          kind: 'unschedulable',
          evidence: ['no node'],
        });
      }),
    );
  });
});
