import type { ServerResponse } from 'node:http';
import { DeadlineError } from '../../../src/errors.ts';
import type { KubeObject } from '../../../src/manifests/types.ts';
import type { Progress } from '../../../src/operations/progress.ts';
import type { Waiting } from '../../../src/operations/wait.ts';
import { answer, clusterOf, never, type Received } from '../cluster/kube-api.ts';

/** Answers other requests. @returns whether it answered */
type Aside = (request: Received, response: ServerResponse) => boolean;

/** A cluster without pods. */
const noPods: Aside = ({ url }, response) => {
  if (!url.includes('/pods?')) return false;
  answer(response, 200, { metadata: { resourceVersion: '1' }, items: [] });
  return true;
};

/**
 * Makes a wait on a cluster that lists `first`, and then sends each of `then` as a watch event.
 * @param aside answers requests for other objects
 */
export async function waitingFor(
  first: readonly KubeObject[],
  then: readonly KubeObject[] = [],
  signal: AbortSignal = never,
  aside: Aside = noPods,
) {
  const progress: Progress[] = [];
  const watch = (response: ServerResponse): void => {
    response.flushHeaders();
    for (const [index, object] of then.entries()) {
      setTimeout(() => response.write(`${JSON.stringify({ type: 'MODIFIED', object })}\n`), 15 * (index + 1));
    }
  };
  const cluster = await clusterOf((request, response) => {
    if (aside(request, response)) return;
    if (request.url.endsWith('/deployments/api')) answer(response, 200, first[0]);
    else if (request.url.includes('watch=true')) watch(response);
    else answer(response, 200, { metadata: { resourceVersion: '1' }, items: first });
  });
  const waiting: Waiting = { cluster, signal, onProgress: (each) => progress.push(each) };
  const states = (): string[] => progress.flatMap((each) => (each.kind === 'waiting' ? [each.last] : []));
  return { waiting, states, progress };
}

/** A signal that aborts with a DeadlineError after so many milliseconds. */
export const deadlineIn = (ms: number): AbortSignal => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new DeadlineError('timed out after 1s')), ms);
  return stop.signal;
};

/** The reason with which a promise is rejected. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'fulfilled',
    (reason: unknown) => reason,
  );
