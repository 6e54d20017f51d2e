import { describeRef } from '../cluster/resources.ts';
import { withClusterFlags } from '../diagnosis/fix.ts';
import type { RemovedObject } from '../operations/progress.ts';
import type { Leftover } from '../operations/unregister/find.ts';
import type { Plan } from '../operations/unregister.ts';
import { printable } from '../pki/printable.ts';
import { json } from './json.ts';
import { removalText, removedLine } from './progress.ts';

/** The result of `unregister -o json`. */
export const unregisterJson = (report: {
  readonly dryRun?: 'client' | 'server';
  readonly removed?: readonly RemovedObject[];
  readonly leftovers?: readonly Leftover[];
  readonly orphans?: readonly string[];
}): string => json({ apiVersion: 'apisvc.dev/unregister/v1alpha1', ...report });

/** `3 deleted, 1 restored.` */
export function unregisterText(removed: readonly RemovedObject[]): string {
  const count = (wanted: RemovedObject['change']): number => removed.filter(({ change }) => change === wanted).length;
  const counts = (['deleted', 'restored', 'left'] as const).filter((change) => count(change) > 0);
  if (count('deleted') + count('restored') === 0) return `Nothing to do${count('left') > 0 ? `; ${count('left')} kept` : ''}.\n`;
  return `${counts.map((change) => `${count(change)} ${removalText(change)}`).join(', ')}.\n`;
}

export const dryRunText = (removed: readonly RemovedObject[], where: 'client' | 'server'): string =>
  removed.length === 0 ? 'Nothing to do.\n' : removed.map((each) => `${printable(removedLine(each))} (${where} dry run)\n`).join('');

/** What `unregister` asks the user to confirm. */
export function planText({ targets, evidence }: Pick<Plan, 'targets' | 'evidence'>): string {
  const lines = targets.flatMap(({ ref, action, reason }) => {
    if (action === 'delete') return [`  delete   ${describeRef(ref)}`];
    return [action === 'restore' ? `  restore  ${describeRef(ref)}` : `  keep     ${describeRef(ref)}: ${reason}`];
  });
  const proof = evidence.length > 0 ? ['It was not created by apisvc, and nothing serves it:', ...evidence.map((each) => `  ${each}`)] : [];
  return [...lines, ...proof].map(printable).join('\n');
}

/**
 * What is left of earlier registrations, with the commands that remove it.
 * @param clusterFlags the flags that select the cluster
 */
export function leftoversText(leftovers: readonly Leftover[], orphans: readonly string[], clusterFlags: readonly string[]): string {
  const fix = (subject: string): string => `  fix: ${withClusterFlags(`apisvc unregister ${subject}`, clusterFlags)}`;
  if (leftovers.length + orphans.length === 0) return 'No leftovers.\n';
  const projects = leftovers.flatMap(({ project, objects }) => [
    `${objects.length === 1 ? '1 object' : `${objects.length} objects`} of project ${project}, which has no APIService:`,
    ...objects.map((object) => `  ${object}`),
    fix(project),
  ]);
  const dead = orphans.flatMap((name) => [`APIService ${name}: its Service does not exist`, fix(name)]);
  return [...projects, ...dead].map((line) => `${printable(line)}\n`).join('');
}
