import type { Cluster } from '../../cluster/cluster.ts';
import { type Collection, observe } from '../../cluster/objects.ts';
import type { Api } from './api.ts';
import type { NodeOptions } from './types.ts';

/** What all parts of a running node share. */
export interface NodeContext extends NodeOptions {
  readonly api: Api;
  /** Aborts when the node stops. */
  readonly signal: AbortSignal;
  /** Reports an operation that failed and is retried. */
  readonly onError: (error: unknown) => void;
}

const retryMs = 1_000;

/**
 * Runs a control loop until the signal aborts: reconciles now, whenever a collection changes, and a
 * second after a failure. Each run reads the current objects, so it never acts on stale ones.
 * @param reconcile returns the milliseconds until the next run even when nothing changes
 */
export async function runController(
  context: NodeContext,
  watched: readonly Collection[],
  reconcile: () => Promise<number | undefined>,
): Promise<void> {
  const { signal, onError } = context;
  let changed = true;
  let wake = (): void => {};
  const change = (): void => {
    changed = true;
    wake();
  };
  const watches = watched.map((each) => follow(context, each, change));
  signal.addEventListener('abort', change, { once: true });
  while (!signal.aborted) {
    changed = false;
    const againMs = await reconcile().catch((error: unknown) => {
      if (!signal.aborted) onError(error);
      return retryMs;
    });
    if (changed) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (againMs !== undefined) setTimeout(resolve, againMs).unref();
    });
  }
  await Promise.all(watches);
}

/** Watches a collection until the signal aborts. Retries when the watch fails. */
export async function follow(
  { cluster, signal, onError }: { readonly cluster: Cluster; readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
  of: Collection,
  onChange: (objects: readonly unknown[]) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const objects of observe(cluster, of, signal)) onChange(objects);
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      await new Promise((resolve) => setTimeout(resolve, retryMs).unref());
    }
  }
}
