import { UsageError } from '../errors.ts';
import type { RenderCronJobFlags } from './render-cronjob.ts';
import type { RenderMonitorFlags } from './render-monitor.ts';

export interface RenderFlags extends RenderMonitorFlags, RenderCronJobFlags {
  readonly secrets?: 'include' | 'omit';
  readonly caBundle?: 'include' | 'omit';
  /** Renders a monitor for a cluster, and not the project. */
  readonly monitor?: boolean;
  /** Renders a CronJob that rotates, and not the project. */
  readonly cronjob?: boolean;
}

/** What `render` renders. */
type Rendered = 'project' | 'monitor' | 'cronjob';

/** What each flag of `render` has an effect on. Elsewhere it is refused. */
const effects: Readonly<Record<keyof RenderFlags, readonly Rendered[]>> = {
  directory: ['project', 'cronjob'],
  output: ['project', 'monitor', 'cronjob'],
  outputDir: ['project', 'monitor', 'cronjob'],
  secrets: ['project'],
  caBundle: ['project'],
  monitor: ['monitor'],
  cronjob: ['cronjob'],
  namespace: ['monitor'],
  schedule: ['cronjob'],
  image: ['monitor', 'cronjob'],
};

/** The flags that cannot be used with --monitor or --cronjob, by their names in commander. */
export const flagsWithoutEffect = (rendered: Rendered): string[] =>
  Object.entries(effects).flatMap(([flag, on]) => (on.includes(rendered) ? [] : [flag]));

/** @throws UsageError for a flag that needs --monitor or --cronjob, without it */
export function refuseWithoutTarget(flags: RenderFlags): void {
  if (flags.monitor || flags.cronjob) return;
  const given = flagsWithoutEffect('project').find((flag) => flags[flag as keyof RenderFlags] !== undefined);
  if (given === undefined) return;
  const needed = effects[given as keyof RenderFlags].map((target) => `--${target}`).join(' or ');
  const fix = given === 'schedule' ? 'Add --cronjob, or remove --schedule.' : `Set the ${given} of the server in apisvc.yaml.`;
  throw new UsageError(`--${given} needs ${needed}`, { fix });
}
