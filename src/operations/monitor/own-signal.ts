/**
 * Runs work with a signal of its own, which aborts with another one. For a signal that lives as
 * long as the process: each `AbortSignal.any` leaves something behind at the signals that it
 * follows (nodejs.org, AbortSignal.any, in Node.js 20), and a run makes one for each request.
 * @throws the reason of `signal`, if it has aborted already; whatever the work throws
 */
export async function withOwnSignal<T>(signal: AbortSignal, work: (own: AbortController) => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  const end = (): void => own.abort(signal.reason);
  signal.addEventListener('abort', end, { once: true });
  try {
    return await work(own);
  } finally {
    signal.removeEventListener('abort', end);
  }
}
