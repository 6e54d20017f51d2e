import { entryOf, matchesCode } from './catalog.ts';
import type { Finding, Observation } from './types.ts';

/**
 * Lists each symptom under the first finding that explains it. A warning explains only warnings. A
 * finding at some endpoints explains nothing at other endpoints.
 * @param findings one for each observation, in the same order
 */
export function fold(observations: readonly Observation[], findings: readonly Finding[]): Finding[] {
  const observed = new Map(findings.map((finding, index) => [finding, observations[index]]));
  const shareEndpoint = (one: Finding, other: Finding): boolean => {
    const [here, there] = [observed.get(one)?.at, observed.get(other)?.at];
    return !here || !there || here.some((at) => there.includes(at));
  };
  const causeOf = (finding: Finding): Finding | undefined => {
    const explainedBy = observed.get(finding)?.explainedBy ?? entryOf(finding.code).explainedBy;
    if (!explainedBy) return undefined;
    const isSevereEnough = ({ severity }: Finding): boolean => severity === 'error' || finding.severity === 'warning';
    return findings.find(
      (other) => other !== finding && isSevereEnough(other) && matchesCode(other.code, explainedBy) && shareEndpoint(other, finding),
    );
  };
  const rootOf = (finding: Finding): Finding => {
    const cause = causeOf(finding);
    return cause ? rootOf(cause) : finding;
  };
  const rooted = findings.map((finding) => ({ finding, root: rootOf(finding) }));
  return rooted.flatMap(({ finding, root }) =>
    root === finding
      ? [{ ...finding, explains: rooted.filter((each) => each.root === finding && each.finding !== finding).map((each) => each.finding) }]
      : [],
  );
}
