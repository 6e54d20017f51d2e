import type { Difference } from './step.ts';

/** Differences of one sort, of which several steps have some. */

/** What kube-apiserver says of a mistake in other words from one version to the next. */
export const inOlderWords = (at: string, real: string, simulated: string): Difference => ({
  reason: 'the words are those of 1.37',
  on: '1.35',
  at,
  real,
  simulated,
});

/**
 * @returns for an answer that says what is wrong with an object: its message, and its first cause
 */
export const faultInOlderWords = (at: string, before: string, real: string, simulated: string): readonly Difference[] => [
  inOlderWords(`${at}.body.message`, before + real, before + simulated),
  inOlderWords(`${at}.body.details.causes.0.message`, real, simulated),
];

/** What changes in the metadata is looked at twice by 1.35, and so its faults are told twice. */
export const saidTwice = { reason: '1.35 tells this cause twice', on: '1.35', simulated: undefined } as const;
