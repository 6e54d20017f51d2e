import type { ChalkInstance } from 'chalk';
import { withClusterFlags } from '../diagnosis/fix.ts';
import { splitRule } from '../diagnosis/not-checked.ts';
import type { ApiDiagnosis, Diagnosis, NotChecked } from '../diagnosis/types.ts';
import type { ApisvcError } from '../errors.ts';
import type { RotateReport, RotateResult, StepReport } from '../operations/rotation/request.ts';
import type { CertificateSet } from '../operations/rotation/rotation.ts';
import { printable } from '../pki/printable.ts';
import { timeText } from '../pki/time-text.ts';
import { json } from './json.ts';
import { diagnosisText } from './text.ts';

const apiVersion = 'apisvc.dev/rotation/v1alpha1';

/** The result of `rotate -o json`. Fingerprints are SHA-256. */
export const rotationJson = ({ outcome, kind, direction, steps, from, to, discarded, diagnosis }: RotateResult): string => {
  const [before, after] = direction === 'back' ? ['withdrawn', 'restored'] : ['from', 'to'];
  return json({
    apiVersion,
    outcome,
    kind,
    steps,
    ...(from ? { [before]: summary(from) } : {}),
    ...(to ? { [after]: summary(to) } : {}),
    ...(discarded ? { discarded } : {}),
    ...(diagnosis ? { diagnosis } : {}),
  });
};

/** The same for a run that did not finish. */
export const failedRotationJson = (
  { kind, steps }: RotateReport,
  outcome: 'failed' | 'interrupted',
  { message, fix }: Pick<ApisvcError, 'message' | 'fix'>,
): string => json({ apiVersion, outcome, kind, steps, error: { message, ...(fix === undefined ? {} : { fix }) } });

/** Where only the Lease knows the certificate, as in a pod that goes on, there is no `notAfter`. */
const summary = ({ presented, leaf, anchors }: CertificateSet): object => ({
  certificate: { sha256: leaf, notAfter: presented[0]?.notAfter },
  ca: anchors.map(({ fingerprint, notAfter }) => ({ sha256: fingerprint, notAfter })),
});

/**
 * The result for people.
 * @param clusterFlags the flags that select the cluster
 */
export function rotationText(result: RotateResult, colors: ChalkInstance, clusterFlags: readonly string[]): string {
  const { outcome, kind, direction, steps, from, to, discarded, diagnosis } = result;
  const what = kind === 'ca' ? 'the CA and the serving certificate' : 'the serving certificate';
  const checked = ['', diagnosis ? checksText(diagnosis, colors, clusterFlags) : ''];
  switch (outcome) {
    case 'planned':
      return [`Plan to ${direction === 'back' ? 'roll back' : 'rotate'} ${what}; nothing was changed:`, ...steps.map(stepLine), ''].join(
        '\n',
      );
    case 'not-due':
      return `${validity(result)}. ${result.isRestored ? 'Nothing else changed' : 'Nothing changed'}.\n`;
    case 'discarded':
      return `${printable(`The API is no longer registered. Discarded ${discarded?.join(' and ')}.`)}\n`;
    case 'nothing-to-abort':
      return 'No rotation is in progress. Nothing changed.\n';
    case 'rotated':
      return [`Rotated ${what}.`, ...lineOf('old', from), ...lineOf('new', to), ...checked].join('\n');
    case 'aborted':
      return [`Rolled back ${what}.`, ...lineOf('from', from), ...lineOf('to', to), ...checked].join('\n');
  }
}

/**
 * The report of the checks at the end. What the user may not check is one line, because `rotate`
 * has asked for every permission that it needs. A verdict other than healthy may depend on it.
 */
function checksText(diagnosis: Diagnosis, colors: ChalkInstance, clusterFlags: readonly string[]): string {
  const isForbidden = ({ verdict }: ApiDiagnosis, { why }: NotChecked): boolean =>
    verdict === 'healthy' && splitRule(why).rule !== undefined;
  const forbiddenOf = (api: ApiDiagnosis): readonly string[] =>
    api.notChecked.filter((each) => isForbidden(api, each)).map(({ what }) => what);
  const apis = diagnosis.apis.map((api) => ({ ...api, notChecked: api.notChecked.filter((each) => !isForbidden(api, each)) }));
  const text = diagnosisText({ ...diagnosis, apis }, colors);
  const limited = diagnosis.apis.filter((api) => forbiddenOf(api).length > 0);
  if (limited.length === 0) return text;
  const what = [...new Set(limited.flatMap(forbiddenOf))].join(', ');
  const command = withClusterFlags(`apisvc verify ${limited.map(({ name }) => name).join(' ')}`, clusterFlags);
  return `${text}\n${printable(`not checked, because this user lacks permissions that rotate does not need: ${what}. To check: ${command}`)}\n`;
}

function validity({ kind, to }: RotateResult): string {
  const firstOf = (certificates: CertificateSet['anchors'] = []) => timeText(certificates.map(({ notAfter }) => notAfter).sort()[0] ?? '');
  const leaf = `The serving certificate is valid until ${firstOf(to?.presented.slice(0, 1))}`;
  return kind === 'ca' ? `${leaf}, and the CA until ${firstOf(to?.anchors)}` : leaf;
}

const stepLine = ({ title, state }: StepReport, index: number): string =>
  printable(`  ${index + 1}. ${title}${state === 'done' ? ' (done)' : ''}`);

function lineOf(which: string, set: CertificateSet | undefined): readonly string[] {
  if (!set) return [];
  const [leaf] = set.presented;
  // Of a certificate that nothing has any more, only the Lease tells the fingerprint.
  if (!leaf) return [`  ${which}: SHA-256 ${printable(set.leaf)}`];
  return [printable(`  ${which}: ${leaf.subject || leaf.dnsNames[0]}, SHA-256 ${leaf.fingerprint}, expires on ${timeText(leaf.notAfter)}`)];
}
