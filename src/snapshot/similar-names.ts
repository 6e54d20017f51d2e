import { nearest } from '../config/nearest.ts';
import { groupVersionOf } from '../config/registration.ts';

/** More would not help to choose. */
const limit = 5;

/**
 * The APIServices that a name probably means: those of the group that it names, with another
 * version or none, or of a group that begins with it; otherwise the one that is spelled most alike.
 * @param known the names of all APIServices
 */
export function similarNames(given: string, known: readonly string[]): string[] {
  const groupOf = (name: string): string => groupVersionOf(name).group;
  const ofGroup = (wanted: (group: string) => boolean): string[] => known.filter((name) => groupOf(name) !== '' && wanted(groupOf(name)));
  const groups = [...new Set(known.map(groupOf))];
  const alike = nearest(given, known);
  const alikeGroup = nearest(given, groups);
  const choices = [
    ofGroup((group) => group === given || group === groupOf(given)),
    ofGroup((group) => group.startsWith(`${given}.`)),
    alike === undefined ? [] : [alike],
    ofGroup((group) => group === alikeGroup),
  ];
  return (choices.find(({ length }) => length > 0) ?? []).slice(0, limit);
}

/** The question that suggests names, as lines of a fix; none without a name. */
export const didYouMean = (similar: readonly string[]): readonly string[] =>
  similar.length > 0 ? [`Did you mean ${similar.join(' or ')}?`] : [];
