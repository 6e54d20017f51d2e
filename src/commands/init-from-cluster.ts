import { dirname } from 'node:path';
import { fileExists } from '../config/file-errors.ts';
import { clusterFlagsOf } from '../diagnosis/fix.ts';
import { Exit, type ExitCode, RefusedError, UsageError } from '../errors.ts';
import type { OnProgress } from '../operations/progress.ts';
import { finishPromotion, refuseDuringRotation } from '../project/generations.ts';
import { isProject, plannedFiles, projectFiles, readSchema, writeProject } from '../project/project.ts';
import { describeFound } from '../report/project.ts';
import type { ClusterFlags } from './cluster.ts';
import { flagNames } from './init-command.ts';
import type { InitFlags } from './new-configuration.ts';
import { progressOn } from './progress.ts';
import { parseName } from './selection.ts';
import type { Terminal } from './terminal.ts';

/** The flags of `init` for a project that describes a running registration. */
export interface FromClusterFlags extends ClusterFlags {
  /** Name of an APIService. */
  readonly fromCluster?: string;
}

type Flags = InitFlags & FromClusterFlags;

/** `apisvc init --from-cluster`: describes a running registration. Only reads the cluster. */
export async function initFromCluster(flags: Flags & { readonly fromCluster: string }, dir: string, terminal: Terminal): Promise<ExitCode> {
  refuseOtherFlags(flags);
  const name = parseName(flags.fromCluster);
  finishPromotion(dir);
  refuseDuringRotation(dir);
  refuseExisting(dir, flags);
  // Imported only now: loading the cluster client takes time that other runs of init do not need.
  const { withCluster } = await import('./cluster.ts');
  const { findProject } = await import('../operations/from-cluster/find.ts');
  const onProgress: OnProgress = progressOn(terminal);
  const { configuration, registration, caBundle, canSecure } = await withCluster(flags, terminal, `inspecting ${name}`, (cluster, signal) =>
    findProject({ cluster, signal, onProgress }, name),
  );
  terminal.interrupt.throwIfAborted();
  const project = { configuration, isNew: !flags.force, schema: readSchema(), certificates: undefined, ...(caBundle ? { caBundle } : {}) };
  const files = plannedFiles(dir, project);
  writeProject(dir, project);
  if (terminal.quiet) return Exit.ok;
  const clusterFlags = clusterFlagsOf(flags);
  await terminal.result(describeFound({ dir, files, registration, name, clusterFlags, canSecure, colors: terminal.outColors }));
  return Exit.ok;
}

/** The cluster determines the values that these flags set, and there are no new keys. */
function refuseOtherFlags(flags: Flags): void {
  const given = Object.entries(flagNames).flatMap(([key, flag]) =>
    key === 'force' || (flags[key as keyof typeof flagNames] ?? false) === false ? [] : [flag],
  );
  const all = [...given, ...(flags.nameConstraints ? [] : ['--no-name-constraints'])];
  if (all.length === 0) return;
  throw new UsageError(
    `--from-cluster cannot be used with ${inWords(all)}: it reads the configuration from the cluster, and creates no keys`,
    {
      fix: `Remove ${inWords(all)}, and edit apisvc.yaml afterwards.`,
    },
  );
}

/** @throws UsageError for flags that select a cluster, without --from-cluster */
export function refuseClusterFlags({ context, kubeconfig, as, asGroup }: Flags): void {
  const given = Object.entries({ '--context': context, '--kubeconfig': kubeconfig, '--as': as, '--as-group': asGroup });
  const all = given.flatMap(([flag, value]) => (value === undefined ? [] : [flag]));
  if (all.length === 0) return;
  throw new UsageError(`${inWords(all)} ${all.length === 1 ? 'needs' : 'need'} --from-cluster`, {
    fix: `Add --from-cluster NAME, or remove ${inWords(all)}.`,
  });
}

const inWords = (flags: readonly string[]): string =>
  [flags.slice(0, -1).join(', '), ...flags.slice(-1)].filter((part) => part !== '').join(' and ');

/** The certificates of another project must not be lost, or be taken for those of this one. */
function refuseExisting(dir: string, { force }: Flags): void {
  const { configuration, caCertificate, caKey, certificate, key } = projectFiles(dir);
  if (isProject(dir) && !force)
    throw new RefusedError(`${configuration} already exists`, { fix: 'Replace it with --force, or choose another directory.' });
  if ([caCertificate, caKey, certificate, key].some(fileExists))
    throw new RefusedError(`${dirname(key)} already contains keys or certificates`, { fix: 'Choose another directory.' });
}
