/**
 * `1 day`, `2,839 days`: a whole number with its noun. Without Intl, whose data take 15 ms to load.
 */
export const counted = (count: number, noun: string): string =>
  `${String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')} ${noun}${count === 1 ? '' : 's'}`;
