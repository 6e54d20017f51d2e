import { join } from 'node:path';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import { formatManifests, kustomizeFiles, manifestFiles } from '../manifests/format.ts';
import { renderManifests } from '../manifests/render.ts';
import { leftovers, removeSecret, writeManifests } from '../project/manifests.ts';
import { readRegistration, requireCertificates } from '../project/project.ts';
import type { Terminal } from './terminal.ts';

export interface RenderFlags {
  readonly directory: string;
  readonly output: 'yaml' | 'json' | 'kustomize';
  readonly outputDir?: string;
  readonly secrets?: 'include' | 'omit';
}

/** `apisvc render`: manifests to stdout, or to files. */
export async function render(flags: RenderFlags, _: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { output, outputDir } = flags;
  if (output === 'kustomize' && outputDir === undefined) {
    throw new UsageError('-o kustomize makes several files, so it needs a directory', { fix: 'Add --output-dir manifests' });
  }
  if (output === 'json' && outputDir !== undefined)
    throw new UsageError('-o json prints one list; --output-dir goes with yaml and kustomize');
  const dir = flags.directory;
  const secrets = flags.secrets ?? (outputDir === undefined && terminal.stdoutIsTerminal ? 'omit' : 'include');
  const registration = readRegistration(dir);
  const issued = requireCertificates(dir, registration, { withKey: secrets === 'include', now: new Date() });
  const manifests = renderManifests(registration, issued, { secrets });
  const deployment = registration.spec.server.existing?.deployment;
  if (deployment)
    terminal.progress(
      `note: Deployment ${deployment.name} is left out, for it is there already: apisvc register adds the certificate to it`,
    );
  if (outputDir === undefined) {
    if (secrets === 'omit' && flags.secrets === undefined)
      terminal.progress('The Secret is left out because this is a terminal; --secrets include shows it.');
    await terminal.result(formatManifests(manifests, output === 'json' ? 'json' : 'yaml'));
    return Exit.ok;
  }
  const files = output === 'kustomize' ? kustomizeFiles(manifests) : manifestFiles(manifests);
  const written = writeManifests(outputDir, files);
  const removed = secrets === 'omit' ? removeSecret(outputDir) : undefined;
  await terminal.result(written.map((name) => `${join(outputDir, name)}\n`).join(''));
  if (removed !== undefined) terminal.progress(`removed ${removed}: it held the private key of an earlier render`);
  for (const name of leftovers(outputDir, written))
    terminal.progress(`note: ${join(outputDir, name)} is from an earlier render and not part of this one`);
  return Exit.ok;
}
