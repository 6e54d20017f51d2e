import { wasRefused } from '../cluster/faults.ts';
import type { Observed } from './types.ts';

/**
 * Asks for something; turns "not there" and "not allowed" into what they mean for a diagnosis.
 * @throws Unreachable when no answer comes; the signal's reason when it is aborted
 */
export async function look<O, T>(signal: AbortSignal, ask: () => Promise<O | undefined>, view: (object: O) => T): Promise<Observed<T>> {
  try {
    const object = await ask();
    return object === undefined ? { state: 'absent' } : { state: 'seen', value: view(object) };
  } catch (error) {
    signal.throwIfAborted();
    if (!wasRefused(error)) throw error;
    return { state: 'unseen', reason: 'forbidden', words: error.fix ? `${error.message}. ${error.fix}` : error.message };
  }
}
