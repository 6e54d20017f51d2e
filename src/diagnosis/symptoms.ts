import type { Code } from './catalog.ts';
import type { Finding } from './types.ts';

/** Symptoms too: each place has its own. */
export const withSymptoms = (findings: readonly Finding[]): readonly Finding[] =>
  findings.flatMap((finding) => (finding.sameAs === undefined ? [finding, ...withSymptoms(finding.explains)] : []));

/**
 * One fault has one fix: `register` restores the caBundle where the Secret and the endpoints have
 * the certificate of the project. It refuses a certificate of another CA: the finding about the CA
 * has the way out.
 * @param isOwn whether the Secret and all endpoints have the certificate of the project
 */
export function withOwnFix(findings: readonly Finding[], isOwn: boolean): readonly Finding[] {
  const has = (code: Code): boolean => findings.some((each) => each.code === code);
  if (isOwn && has('cert/unknown-authority')) return findings.filter(({ code }) => code !== 'bundle/not-project-ca');
  return has('bundle/not-project-ca') ? findings.filter(({ code }) => code !== 'cert/not-project-certificate') : findings;
}
