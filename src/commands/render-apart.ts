import { join } from 'node:path';
import { fieldFault } from '../config/field-fault.ts';
import { Exit, type ExitCode, UsageError } from '../errors.ts';
import type { Manifest } from '../manifests/types.ts';
import { printable } from '../pki/printable.ts';
import { writeManifests } from '../project/manifests.ts';
import { formatOf, type ManifestFormat } from '../report/formats.ts';
import type { Terminal } from './terminal.ts';

export interface RenderApartFlags {
  readonly output: ManifestFormat;
  readonly outputDir?: string;
  readonly image?: string;
}

/**
 * The image of apisvc, which no default can know.
 * @throws UsageError without --image, or where it breaks the rule of `spec.server.image`
 */
export function requireImage({ image }: RenderApartFlags): string {
  if (image === undefined)
    throw new UsageError('required flag "--image" not set', { fix: 'Add --image IMAGE, an apisvc container image.' });
  const fault = fieldFault('image', image);
  if (fault !== undefined)
    throw new UsageError(`invalid image ${JSON.stringify(image)}: it ${fault}`, {
      fix: 'Set --image to an apisvc container image, for example registry.example.com/apisvc:0.1.0.',
    });
  return image;
}

/**
 * Prints or writes objects that are apart from the manifests of a project.
 * @param flag that selects them
 * @throws UsageError for a format that does not fit
 */
export async function renderApart(
  manifests: readonly Manifest[],
  flag: string,
  { output, outputDir }: RenderApartFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const { manifests: printText, manifestFiles, chartFiles } = formatOf(output);
  if (outputDir === undefined && printText) {
    await terminal.result(await printText(manifests));
    return Exit.ok;
  }
  if (outputDir === undefined || !manifestFiles) {
    const directory = chartFiles ? '' : `${outputDir === undefined ? ' without' : ' and'} --output-dir`;
    throw new UsageError(`-o ${output} cannot be used with ${flag}${directory}`, {
      fix: 'Use -o yaml, or -o kustomize with --output-dir.',
    });
  }
  const written = writeManifests(outputDir, await manifestFiles(manifests));
  await terminal.result(written.map((name) => `${printable(join(outputDir, name))}\n`).join(''));
  return Exit.ok;
}
