import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { DeadlineError, InterruptedError } from '../../../../src/errors.ts';
import type { Progress } from '../../../../src/operations/progress.ts';
import { discoveryStep } from '../../../../src/operations/steps/discovery.ts';
import { answer, clusterOf } from '../../cluster/kube-api.ts';
import { rejection } from '../waiting.ts';

const names = ['v1.one.example.com', 'v1.two.example.com'];

/** Aggregated discovery that lists these groups, each with its resources. */
const listing = (groups: Readonly<Record<string, readonly string[]>>): object => ({
  kind: 'APIGroupDiscoveryList',
  items: Object.entries(groups).map(([name, resources]) => ({
    metadata: { name },
    versions: [{ version: 'v1', freshness: 'Current', resources: resources.map((resource) => ({ resource })) }],
  })),
});

const nothing = listing({});
const one = listing({ 'one.example.com': ['things'] });
const empty = listing({ 'one.example.com': ['things'], 'two.example.com': [] });
const both = listing({ 'one.example.com': ['things'], 'two.example.com': ['things'] });

/**
 * The step on a cluster that replies with these documents in turn, and then with the last one.
 * @param options.end the reason to stop after the first report
 */
async function stepOn(documents: readonly object[], { end, isHealthy = true }: { end?: Error; isHealthy?: boolean } = {}) {
  const stop = new AbortController();
  const requests: string[] = [];
  const progress: Progress[] = [];
  const cluster = await clusterOf(({ url }, response) => {
    requests.push(url);
    answer(response, 200, documents[Math.min(requests.length, documents.length) - 1]);
  });
  const onProgress = (each: Progress): void => {
    progress.push(each);
    if (end) stop.abort(end);
  };
  const waiting = { cluster, signal: stop.signal, onProgress };
  return { step: discoveryStep(waiting, names, () => isHealthy), requests, progress };
}

const waits = { kind: 'waiting', what: 'discovery to list v1.one.example.com, v1.two.example.com', last: 'not listed yet' };
const note = {
  kind: 'note',
  what: 'discovery does not list the API yet, so for up to two minutes kubectl may not find the resources; kubectl get --raw works',
};

describe('observe', () => {
  test.each([
    ['no API', nothing, 'pending'],
    ['one of two APIs', one, 'pending'],
    ['an API without resources', empty, 'pending'],
    ['all APIs', both, 'done'],
    // An older kube-apiserver.
    ['nothing, as it is not aggregated', { kind: 'APIGroupList', groups: [] }, 'done'],
  ])('discovery that lists %s', async (_, document, state) => {
    const { step } = await stepOn([document]);
    expect(await step.observe()).toEqual({ state });
  });

  test('an API that is not healthy is not looked for', async () => {
    const { step, requests } = await stepOn([nothing], { isHealthy: false });
    expect(await step.observe()).toEqual({ state: 'done' });
    expect(requests).toEqual([]);
  });
});

describe('run', () => {
  test('ends when discovery lists the resources of all APIs, and not before', async () => {
    const { step, requests, progress } = await stepOn([nothing, one, empty, both]);
    await step.run();
    expect(requests).toEqual(Array(4).fill('/apis'));
    expect(progress).toEqual([waits, waits, waits]);
  });

  test('writes a note at the deadline, without an error', async () => {
    const { step, progress } = await stepOn([nothing], { end: new DeadlineError('timed out after 1s') });
    await step.run();
    expect(progress).toEqual([waits, note]);
  });

  test('writes a note when kube-apiserver had the time to ask every server again', async () => {
    const { timeout } = AbortSignal;
    vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout.call(AbortSignal, ms === 65_000 ? 0 : ms));
    onTestFinished(() => void vi.restoreAllMocks());
    const { step, progress } = await stepOn([nothing]);
    await step.run();
    expect(progress.at(-1)).toEqual(note);
  });

  test('Ctrl-C is not a deadline', async () => {
    const end = new InterruptedError('SIGINT');
    const { step, progress } = await stepOn([nothing], { end });
    expect(await rejection(step.run())).toBe(end);
    expect(progress).toEqual([waits]);
  });
});
