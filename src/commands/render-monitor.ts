import { fieldFault } from '../config/field-fault.ts';
import { type ExitCode, UsageError } from '../errors.ts';
import { monitorManifests } from '../manifests/monitor.ts';
import { watchedResources } from '../operations/monitor/changes.ts';
import { monitorRules } from '../snapshot/permissions.ts';
import { type RenderApartFlags, renderApart, requireImage } from './render-apart.ts';
import type { Terminal } from './terminal.ts';

export interface RenderMonitorFlags extends RenderApartFlags {
  readonly namespace?: string;
}

/**
 * `apisvc render --monitor`: the objects of a monitor. It monitors the cluster, so it needs no
 * project.
 */
export async function renderMonitor(flags: RenderMonitorFlags, terminal: Terminal): Promise<ExitCode> {
  const { namespace = 'apisvc-monitor' } = flags;
  const image = requireImage(flags);
  const fault = fieldFault('namespace', namespace);
  if (fault !== undefined)
    throw new UsageError(`invalid namespace ${JSON.stringify(namespace)}: ${fault}`, {
      fix: 'Set -n to the name of a namespace, for example apisvc-monitor.',
    });
  const manifests = monitorManifests({ namespace, image, rules: monitorRules(watchedResources) });
  return renderApart(manifests, '--monitor', flags, terminal);
}
