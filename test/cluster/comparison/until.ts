import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './client.ts';

const intervalMs = 50;
const withinMs = 30_000;

/**
 * Repeats a request while the answer has one of these statuses: kube-apiserver acts on a write once
 * its own watch has received it.
 * @returns the first other answer, or the last one
 */
export async function until(ask: () => Promise<Answer>, ...pending: readonly number[]): Promise<Answer> {
  const end = Date.now() + withinMs;
  let answer = await ask();
  while (pending.includes(answer.status) && Date.now() < end) {
    await sleep(intervalMs);
    answer = await ask();
  }
  return answer;
}
