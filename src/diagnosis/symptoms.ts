import type { Finding } from './types.ts';

/** Symptoms too: each place has its own. */
export const withSymptoms = (findings: readonly Finding[]): readonly Finding[] =>
  findings.flatMap((finding) => (finding.sameAs === undefined ? [finding, ...withSymptoms(finding.explains)] : []));

/** `register` refuses a certificate of another CA: the finding about the CA has the way out. */
export const withOwnFix = (findings: readonly Finding[]): readonly Finding[] =>
  findings.some(({ code }) => code === 'bundle/not-project-ca')
    ? findings.filter(({ code }) => code !== 'cert/not-project-certificate')
    : findings;
