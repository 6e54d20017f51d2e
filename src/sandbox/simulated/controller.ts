import { apiServicesIn } from './lookup.ts';
import type { Simulation, StoreEvent } from './types.ts';

/** How a controller looks after the APIServices. */
interface Controller {
  /** Looks after the one of this name. A failure makes it do so again later. */
  work(name: string): Promise<void>;
  /** The names of those that a change concerns. */
  concernedBy(event: StoreEvent): readonly string[];
  /** Milliseconds between rounds over all. */
  readonly everyMs: number;
  /**
   * Milliseconds before the first repetition after a failure; doubled each time, up to the last.
   */
  readonly backoff: { readonly firstMs: number; readonly lastMs: number };
}

/**
 * Runs until the simulation ends: looks after every APIService at once, when something changes, and
 * in rounds; each by one at a time (k8s.io/client-go/util/workqueue).
 */
export function runController({ store, signal }: Simulation, { work, concernedBy, everyMs, backoff }: Controller): void {
  const running = new Set<string>();
  const dirty = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();

  const later = (name: string): void => {
    const count = failures.get(name) ?? 0;
    failures.set(name, count + 1);
    clearTimeout(timers.get(name));
    timers.set(
      name,
      setTimeout(() => add(name), Math.min(backoff.firstMs * 2 ** count, backoff.lastMs)),
    );
  };
  const run = async (name: string): Promise<void> => {
    running.add(name);
    await work(name).then(
      () => failures.delete(name),
      () => signal.aborted || later(name),
    );
    running.delete(name);
    if (dirty.delete(name)) add(name);
  };
  const add = (name: string): void => {
    if (signal.aborted) return;
    if (running.has(name)) dirty.add(name);
    else void run(name);
  };
  const addAll = (): void => {
    for (const { metadata } of apiServicesIn(store)) add(metadata.name);
  };

  const unsubscribe = store.subscribe((event) => {
    for (const name of concernedBy(event)) add(name);
  });
  const rounds = setInterval(addAll, everyMs);
  const end = (): void => {
    unsubscribe();
    clearInterval(rounds);
    for (const timer of timers.values()) clearTimeout(timer);
  };
  signal.addEventListener('abort', end, { once: true });
  addAll();
}
