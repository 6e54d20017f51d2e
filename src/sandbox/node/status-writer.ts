import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { NodeContext } from './controller.ts';
import type { Json } from './registry.ts';

const retryMs = 1_000;

export interface StatusWriter {
  /** Writes the status soon, if it differs from the last one written. */
  changed(): void;
  /** Resolves when no write is in progress. */
  idle(): Promise<void>;
}

/**
 * Writes the status of a pod, one write at a time, and retries when a write fails.
 * @param current computes the status from the conditions that were written last
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
