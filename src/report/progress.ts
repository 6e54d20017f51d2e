import type { AppliedObject, Progress, RemovedObject } from '../operations/progress.ts';
import { printable } from '../pki/printable.ts';

/** `service/wardle/api created`, as kubectl prints it. */
export const appliedLine = ({ object, change }: AppliedObject): string =>
  change === 'unchecked' ? `${object} not checked: its namespace or role does not exist yet` : `${object} ${change}`;

/** What `unregister` did to an object, for people: "1 left" could be what is still to do. */
export const removalText = (change: RemovedObject['change']): string => (change === 'left' ? 'kept' : change);

/** `service/wardle/api deleted`, as kubectl prints it. */
export const removedLine = ({ object, change, reason }: RemovedObject): string =>
  `${object} ${removalText(change)}${reason === undefined ? '' : `: ${reason}`}`;

/** One line that sums up all changes. */
export function appliedSummary(applied: readonly AppliedObject[]): string {
  const count = (wanted: AppliedObject['change']): number => applied.filter(({ change }) => change === wanted).length;
  const changes = (['created', 'configured'] as const).filter((change) => count(change) > 0).map((change) => `${count(change)} ${change}`);
  if (changes.length === 0) return `Nothing changed: all ${applied.length} objects are up to date.`;
  const rest = count('unchanged') > 0 ? [`${count('unchanged')} unchanged`] : [];
  return `${applied.length} objects: ${[...changes, ...rest].join(', ')}.`;
}

/**
 * One line of progress. Names and messages in it are escaped, because they come from the cluster.
 */
export const progressLine = (progress: Progress): string => printable(line(progress));

function line(progress: Progress): string {
  switch (progress.kind) {
    case 'step':
      return `==> ${progress.what}`;
    case 'skipped':
      return `    ${progress.what} (done)`;
    case 'applied':
      return `    ${appliedLine(progress.applied)}`;
    case 'removed':
      return `    ${removedLine(progress.removed)}`;
    case 'waiting':
      return `    waiting for ${progress.what}: ${progress.last}`;
    case 'taken-over':
      return `    ${progress.object}: taken over from project ${progress.from}`;
    case 'restored':
      return `    ${progress.object}: restored manually edited fields (${progress.conflicts.map(({ field, owner }) => `${field}: ${owner}`).join('; ')})`;
    case 'note':
      return `    note: ${progress.what}`;
  }
}
