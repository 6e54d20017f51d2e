import { join } from 'node:path';
import { secretName } from '../config/registration.ts';
import { responsibilitiesOf } from '../config/responsibilities.ts';
import type { Registration } from '../config/schema.ts';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import { renderManifests } from '../manifests/render.ts';
import type { ManifestFile } from '../manifests/types.ts';
import { printable } from '../pki/printable.ts';
import type { Issued } from '../pki/types.ts';
import { issuedInFiles } from '../project/issued.ts';
import { leftovers, removeSecret, writeManifests } from '../project/manifests.ts';
import { readRegistration } from '../project/project.ts';
import { formatOf } from '../report/formats.ts';
import { type RenderFlags, refuseWithoutTarget } from './render-flags.ts';
import type { Terminal } from './terminal.ts';

/** `apisvc render`: prints or writes manifests. A private key only with --secrets include. */
export async function render(flags: RenderFlags, _: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { output, outputDir, directory: dir } = flags;
  refuseWithoutTarget(flags);
  if (flags.monitor) return (await import('./render-monitor.ts')).renderMonitor(flags, terminal);
  if (flags.cronjob) return (await import('./render-cronjob.ts')).renderCronJob(flags, terminal);
  const { manifests: printText, manifestFiles, chartFiles: makeFiles = manifestFiles } = formatOf(output);
  if (outputDir === undefined && !printText)
    throw new UsageError(`-o ${output} writes several files and needs --output-dir`, { fix: 'Add --output-dir manifests.' });
  if (outputDir !== undefined && !makeFiles)
    throw new UsageError(`-o ${output} cannot be used with --output-dir`, { fix: 'Remove --output-dir, or use -o yaml.' });
  if (output === 'helm' && flags.secrets === 'include')
    throw new UsageError('-o helm cannot be used with --secrets include: a chart contains no private key', {
      fix: 'Remove --secrets. To create the Secret: apisvc register --only secrets',
    });
  if (output === 'helm' && flags.caBundle)
    throw new UsageError('-o helm cannot be used with --ca-bundle: the chart has a value caBundle', {
      fix: 'Remove --ca-bundle. The value is empty by default, and apisvc register sets the caBundle.',
    });
  const { secrets = 'omit', caBundle = 'include' } = flags;
  const registration = readRegistration(dir);
  const issued = issuedInFiles(dir, registration, { withKey: secrets === 'include', now: new Date() });
  const manifests = renderManifests(registration, issued, { secrets, caBundle });
  const deployment = registration.spec.server.existing?.deployment;
  if (deployment)
    terminal.progress(`note: existing Deployment ${deployment.name} is not rendered; apisvc register adds the certificate to it`);
  for (const note of notes(registration, issued, flags)) terminal.progress(note);
  if (outputDir !== undefined && makeFiles) {
    await writeTo(outputDir, await makeFiles(manifests, registration), secrets, terminal);
    return Exit.ok;
  }
  if (printText) await terminal.result(await printText(manifests));
  return Exit.ok;
}

/** What the manifests lack, although the cluster needs it. */
function notes(registration: Registration, issued: Issued | undefined, { secrets, output, caBundle: included }: RenderFlags): string[] {
  // The notes of a chart say it after its installation.
  if (output === 'helm') return [];
  const { secret, caBundle } = responsibilitiesOf(registration);
  const isMissed = secret === 'apisvc' && secrets === undefined && !registration.spec.server.external;
  return [
    ...(isMissed ? [secretNote(registration, issued)] : []),
    ...(caBundle === 'apisvc' && included !== 'omit' && !issued ? [bundleNote] : []),
  ];
}

/** Without --secrets, nobody has decided about the private key, and the Secret would be missed. */
const secretNote = (registration: Registration, issued: Issued | undefined): string =>
  issued?.chain === '' || !issued
    ? `note: Secret ${registration.metadata.namespace}/${secretName(registration)} is not rendered, because the project has no certificate`
    : `note: Secret ${registration.metadata.namespace}/${secretName(registration)} is not rendered, because it contains a private key; to render it, use --secrets include`;

const bundleNote =
  'note: the APIServices are rendered without a caBundle, because their CA is only in the cluster; apisvc register adds the caBundle';

async function writeTo(dir: string, files: readonly ManifestFile[], secrets: 'include' | 'omit', terminal: Terminal): Promise<void> {
  const written = writeManifests(dir, files);
  const removed = secrets === 'omit' ? removeSecret(dir) : undefined;
  await terminal.result(written.map((name) => `${printable(join(dir, name))}\n`).join(''));
  if (removed !== undefined) terminal.progress(printable(`removed ${removed}, which contained a private key from an earlier render`));
  for (const name of leftovers(dir, written)) terminal.progress(printable(`note: ${join(dir, name)} is not one of the rendered manifests`));
}
