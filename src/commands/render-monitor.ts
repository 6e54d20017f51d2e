import { join } from 'node:path';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import { formatManifests, kustomizeFiles, manifestFiles } from '../manifests/format.ts';
import { monitorManifests } from '../manifests/monitor.ts';
import { watchedResources } from '../operations/monitor/changes.ts';
import { writeManifests } from '../project/manifests.ts';
import type { ManifestFormat } from '../report/formats.ts';
import { monitorRules } from '../snapshot/permissions.ts';
import type { Terminal } from './terminal.ts';

/** A DNS label, as the name of a namespace (RFC 1123). */
const namespacePattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export interface RenderMonitorFlags {
  readonly output: ManifestFormat;
  readonly outputDir?: string;
  readonly namespace?: string;
  readonly image?: string;
}

/**
 * `apisvc render --monitor`: the objects of a monitor. It monitors the cluster, so it needs no
 * project.
 */
export async function renderMonitor(flags: RenderMonitorFlags, terminal: Terminal): Promise<ExitCode> {
  const { output, outputDir, namespace = 'apisvc-monitor', image } = flags;
  if (image === undefined)
    throw new UsageError('required flag "--image" not set', { fix: 'Add --image IMAGE, a container image of apisvc.' });
  if (!namespacePattern.test(namespace))
    throw new UsageError(`invalid namespace "${namespace}"`, { fix: 'Use lower case letters, digits and "-".' });
  const manifests = monitorManifests({ namespace, image, rules: monitorRules(watchedResources) });
  if (outputDir === undefined && (output === 'yaml' || output === 'json')) {
    await terminal.result(formatManifests(manifests, output));
    return Exit.ok;
  }
  const files = { yaml: manifestFiles, kustomize: kustomizeFiles, json: undefined, helm: undefined }[output];
  if (outputDir === undefined || !files) {
    throw new UsageError(`-o ${output} cannot be used with --monitor${outputDir === undefined ? ' without' : ' and'} --output-dir`, {
      fix: 'Use -o yaml, or -o kustomize with --output-dir.',
    });
  }
  const written = writeManifests(outputDir, files(manifests));
  await terminal.result(written.map((name) => `${join(outputDir, name)}\n`).join(''));
  return Exit.ok;
}
