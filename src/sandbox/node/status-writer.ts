import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { NodeContext } from './controller.ts';
import type { Json } from './registry.ts';

const retryMs = 1_000;

export interface StatusWriter {
  /** What the status is made of has changed. */
  changed(): void;
  /** Resolves when nothing is being written. */
  idle(): Promise<void>;
}

/**
 * Keeps the status of a pod as it should be: one write at a time, only when it says something new, and again when that failed.
 * @param current gives the status, from the conditions that were written last
 */
export function statusWriter({ api, onError, signal }: NodeContext, pod: Json, current: (before: readonly Json[]) => Json): StatusWriter {
  let sent: Json;
  let dirty = false;
  let busy = false;
  let writing = Promise.resolve();
  const write = async (): Promise<void> => {
    while (dirty && !signal.aborted) {
      dirty = false;
      const next = current(sent?.conditions ?? []);
      if (isDeepStrictEqual(sent, next)) continue;
      try {
        await api.patch(pod, { status: next }, 'status');
        sent = next;
      } catch (error) {
        if (signal.aborted) break;
        onError(error);
        dirty = true;
        await sleep(retryMs, undefined, { ref: false });
      }
    }
    busy = false;
  };
  return {
    changed: () => {
      dirty = true;
      if (busy) return;
      busy = true;
      writing = write();
    },
    idle: () => writing,
  };
}
