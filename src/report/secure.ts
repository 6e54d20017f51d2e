import type { ChalkInstance } from 'chalk';
import { inDirectory } from '../config/project-commands.ts';
import { shellWord } from '../config/shell-word.ts';
import { type ClusterSelection, clusterFlagsOf, withClusterFlags } from '../diagnosis/fix.ts';
import type { SecurePreview, SecureReport } from '../operations/secure/report.ts';
import { printable } from '../pki/printable.ts';
import { json } from './json.ts';
import { appliedSummary } from './progress.ts';
import { diagnosisText } from './text.ts';
import { unregisterText } from './unregister.ts';

/** The result of `secure -o json`. */
export const secureJson = (report: SecureReport | SecurePreview): string => json({ apiVersion: 'apisvc.dev/secure/v1alpha1', ...report });

/** The flags that the commands in the text repeat. */
interface SecureFlags extends ClusterSelection {
  readonly directory?: string;
}

/** The result for people. That of `--diff` is `diffText`. */
export function secureText(report: SecureReport, flags: SecureFlags, colors: ChalkInstance): string {
  const { directory = '.' } = flags;
  const command = (text: string, dir: string): string => withClusterFlags(inDirectory(text, dir), clusterFlagsOf(flags));
  const { outcome, name, applied = [], removed = [], project, secret, diagnosis } = report;
  switch (outcome) {
    case 'nothing-to-do':
      return `kube-apiserver already verifies the certificate of ${name}. Nothing to do.\n`;
    case 'nothing-to-undo':
      return `apisvc secure did not change ${name}. Nothing to undo.\n`;
    case 'undone':
      return [
        unregisterText(removed).trim(),
        ...(project === undefined ? [] : [printable(`The project in ${project} is kept. To remove it: rm -r ${shellWord(project)}`)]),
        '',
        diagnosis ? diagnosisText(diagnosis, colors) : '',
      ].join('\n');
    case 'secured':
      return [
        appliedSummary(applied),
        ...(project === undefined
          ? []
          : [
              printable(
                `The project in ${project} contains the CA and its key. To replace the certificate: ${command('apisvc rotate', project)}`,
              ),
            ]),
        ...(secret === undefined ? [] : [`The certificate is in Secret ${secret}. When its CA changes, update the caBundle.`]),
        printable(`To roll back: ${command(`apisvc secure --undo ${name}`, directory)}`),
        '',
        diagnosis ? diagnosisText(diagnosis, colors) : '',
      ].join('\n');
  }
}
