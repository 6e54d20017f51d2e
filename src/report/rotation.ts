import type { ChalkInstance } from 'chalk';
import type { PlannedStep, RotateResult } from '../operations/rotation/request.ts';
import type { CertificateSet } from '../operations/rotation/rotation.ts';
import { printable } from '../pki/printable.ts';
import { json } from './json.ts';
import { diagnosisText } from './text.ts';

/** The result of `rotate -o json`. Fingerprints are SHA-256. */
export const rotationJson = ({ outcome, kind, steps, from, to, discarded, diagnosis }: RotateResult): string =>
  json({
    apiVersion: 'apisvc.dev/rotation/v1alpha1',
    outcome,
    kind,
    steps,
    ...(from ? { from: summary(from) } : {}),
    ...(to ? { to: summary(to) } : {}),
    ...(discarded ? { discarded } : {}),
    ...(diagnosis ? { diagnosis } : {}),
  });

const summary = ({ presented, leaf, anchors }: CertificateSet): object => ({
  certificate: { sha256: leaf, notAfter: presented[0]?.notAfter },
  ca: anchors.map(({ fingerprint, notAfter }) => ({ sha256: fingerprint, notAfter })),
});

/** The result for people. */
export function rotationText(result: RotateResult, colors: ChalkInstance): string {
  const { outcome, kind, steps, from, to, discarded, diagnosis } = result;
  const what = kind === 'ca' ? 'the CA and the serving certificate' : 'the serving certificate';
  const certificates = [...lineOf('old', outcome === 'aborted' ? to : from), ...lineOf('new', outcome === 'aborted' ? from : to)];
  switch (outcome) {
    case 'planned':
      return [`Plan to rotate ${what}; nothing was changed:`, ...steps.map(stepLine), ''].join('\n');
    case 'not-due':
      return `The certificate is valid until ${to?.presented[0]?.notAfter}. Nothing changed.\n`;
    case 'discarded':
      return `${printable(`The API is not registered any more. Discarded ${discarded?.join(' and ')}.`)}\n`;
    case 'nothing-to-abort':
      return 'No rotation is in progress. Nothing changed.\n';
    case 'rotated':
      return [`Rotated ${what}.`, ...certificates, '', diagnosis ? diagnosisText(diagnosis, colors) : ''].join('\n');
    case 'aborted':
      return ['Aborted; the old certificate is restored.', ...certificates, '', diagnosis ? diagnosisText(diagnosis, colors) : ''].join(
        '\n',
      );
  }
}

const stepLine = ({ title, state }: PlannedStep, index: number): string =>
  printable(`  ${index + 1}. ${title}${state === 'done' ? ' (done)' : ''}`);

function lineOf(which: 'old' | 'new', set: CertificateSet | undefined): readonly string[] {
  const [leaf] = set?.presented ?? [];
  return leaf
    ? [printable(`  ${which}: ${leaf.subject || leaf.dnsNames[0]}, SHA-256 ${leaf.fingerprint}, expires on ${leaf.notAfter}`)]
    : [];
}
