import type { Cluster } from '../../cluster/cluster.ts';
import { type Collection, observe } from '../../cluster/objects.ts';
import type { Api } from './api.ts';
import type { NodeOptions } from './types.ts';

/** What all parts of a running node share. */
export interface NodeContext extends NodeOptions {
  readonly api: Api;
  /** Told what could not be done, and is tried again. */
  readonly onError: (error: unknown) => void;
}

const retryMs = 1_000;

/**
 * The loop of a controller: does the work now, whenever one of the collections changes, and a second after it failed; one run at a time, until the signal ends it. A
 * watch only says that something changed: the work reads what there is, so that it never acts on what is out of date.
 * @param work gives the milliseconds after which it has to be done again even when nothing changes
 */
export async function runController(
  context: NodeContext,
  watched: readonly Collection[],
  work: () => Promise<number | undefined>,
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
    const againMs = await work().catch((error: unknown) => {
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

/** Observes a collection until the signal ends it, whatever happens to the control plane. */
export async function follow(
  { cluster, signal, onError }: { readonly cluster: Cluster; readonly signal: AbortSignal; readonly onError: (error: unknown) => void },
  of: Collection,
  changed: (objects: readonly unknown[]) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const objects of observe(cluster, of, signal)) changed(objects);
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
      await new Promise((resolve) => setTimeout(resolve, retryMs).unref());
    }
  }
}
