import type { Observed } from './types.ts';

/** The observed value. @returns undefined for what is absent or was not checked */
export const seen = <T>(observed: Observed<T>): T | undefined => (observed.state === 'seen' ? observed.value : undefined);

/** The observation of something that was left out on purpose. */
export const skipped = (reason: string): Observed<never> => ({ state: 'unseen', reason: 'skipped', words: reason });

/** The observation of something that what was seen does not tell. */
export const undecided = (reason: string): Observed<never> => ({ state: 'unseen', reason: 'undecided', words: reason });

/** The observation of something that the files do not contain. */
export const notGiven = (reason: string): Observed<never> => ({ state: 'unseen', reason: 'not-given', words: reason });
