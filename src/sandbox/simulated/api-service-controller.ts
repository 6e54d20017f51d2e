import { apiServicesIn } from './lookup.ts';
import type { Simulation, StoreEvent } from './types.ts';

interface Controller {
  /** Reconciles the APIService of this name. A failure is retried. */
  work(name: string): Promise<void>;
  /** The names of the APIServices that a change concerns. */
  concernedBy(event: StoreEvent): readonly string[];
  /** Milliseconds between resyncs of all APIServices. */
  readonly everyMs: number;
  /** Milliseconds before the first retry; doubled for each one, up to `everyMs`. */
  readonly retryMs: number;
}

/**
 * Reconciles every APIService now, after changes and periodically, until the simulation ends. Each
 * is reconciled by one worker at a time (k8s.io/client-go/util/workqueue).
 */
export function runApiServiceController({ store, signal }: Simulation, { work, concernedBy, everyMs, retryMs }: Controller): void {
  const running = new Set<string>();
  const dirty = new Set<string>();
  const failures = new Map<string, number>();
  const timers = new Map<string, NodeJS.Timeout>();

  const retry = (name: string): void => {
    const count = failures.get(name) ?? 0;
    failures.set(name, count + 1);
    clearTimeout(timers.get(name));
    const delayMs = Math.min(retryMs * 2 ** count, everyMs);
    timers.set(
      name,
      setTimeout(() => add(name), delayMs),
    );
  };
  const run = async (name: string): Promise<void> => {
    running.add(name);
    await work(name).then(
      () => failures.delete(name),
      () => signal.aborted || retry(name),
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
  const resync = setInterval(addAll, everyMs);
  const end = (): void => {
    unsubscribe();
    clearInterval(resync);
    for (const timer of timers.values()) clearTimeout(timer);
  };
  signal.addEventListener('abort', end, { once: true });
  addAll();
}
