import leven from 'leven';

const plain = (key: string): string => key.toLowerCase().replace(/[-_]/g, '');

/**
 * The candidate that a mistyped word probably means. At most a third of its letters may differ, or
 * two in a short word.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const mostWrong = Math.min(word.length - 1, Math.max(2, Math.floor(word.length / 3)));
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: leven(plain(word), plain(candidate), { maxDistance: mostWrong + 1 }) }))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0] && ranked[0].distance <= mostWrong ? ranked[0].candidate : undefined;
}
