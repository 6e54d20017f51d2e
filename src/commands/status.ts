import { clusterFlagsOf } from '../diagnosis/fix.ts';
import { notAllChecked } from '../diagnosis/status.ts';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import { status as readStatus } from '../operations/status.ts';
import { formats, type StatusFormat } from '../report/formats.ts';
import { type ClusterFlags, withCluster } from './cluster.ts';
import { comparing, describeSelection, selectionOf } from './selection.ts';
import type { Terminal } from './terminal.ts';

export interface StatusFlags extends ClusterFlags {
  readonly directory: string;
  readonly output: StatusFormat;
  /** Milliseconds. */
  readonly failIfExpiresWithin?: number;
}

/** `apisvc status`: compares the certificates in files, Secret, caBundle and at each endpoint. */
export async function status(flags: StatusFlags, given: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const selected = await selectionOf(flags, given);
  // The user asked for the project, so one that cannot be read is an error.
  const selection = await comparing(selected, flags, given.length > 0 ? terminal : undefined);
  const { wanted, compared, declared, project } = selection;
  if (!('names' in wanted)) {
    throw new UsageError('no APIService given', {
      fix: 'Pass the name of an APIService, for example: apisvc status v1beta1.metrics.k8s.io',
    });
  }
  const found = await withCluster(flags, terminal, `reading the certificates of ${describeSelection(wanted)}`, async (cluster, signal) =>
    readStatus(cluster, {
      names: wanted.names,
      compared,
      declared,
      ...(compared ? await filesOf(compared.directory) : {}),
      failIfExpiresWithin: flags.failIfExpiresWithin,
      clusterFlags: clusterFlagsOf(flags),
      project,
      signal,
    }),
  );
  await terminal.result(await formats[flags.output].status(found, terminal.outColors));
  if (found.failure === undefined) return Exit.ok;
  return found.failure === notAllChecked ? Exit.unreachable : Exit.findings;
}

async function filesOf(directory: string) {
  const [{ isNextComplete, readNextTrust, unreadableFiles }, { hasNext }] = await Promise.all([
    import('../project/trust.ts'),
    import('../project/generations.ts'),
  ]);
  const next = readNextTrust(directory);
  return {
    next,
    unreadable: unreadableFiles(directory),
    hasNext: hasNext(directory),
    isNextComplete: isNextComplete(directory, next),
  };
}
