import type { ApiDiagnosis, DiagnoseOptions, Finding, Observation, Verdict } from './types.ts';

type Options = Pick<DiagnoseOptions, 'strict' | 'failIfExpiresSoon' | 'warningsAreErrors'>;

/** Why the verdict is unknown. The list of what was not checked follows it. */
export const noVerdict = 'not enough access to decide';

/** A certificate of a server or a CA that expires soon. */
const isExpiry = ({ code }: Pick<Finding, 'code'>): boolean => code.endsWith('expires-soon');

/** The observation as an error, where the options make it one. */
export const raised = (observed: Observation, { failIfExpiresSoon = false, warningsAreErrors = false }: Options): Observation =>
  warningsAreErrors || (failIfExpiresSoon && isExpiry(observed)) ? { ...observed, severity: 'error' } : observed;

/**
 * Whether the expiry of the serving certificate decides, but is not known. A certificate that was
 * not seen may expire at any time.
 */
export const lacksExpiry = ({ service, expires }: ApiDiagnosis['overview'], { failIfExpiresSoon = false }: Options): boolean =>
  failIfExpiresSoon && service !== undefined && expires === undefined;

/** The result of a diagnosis, without the reason of a failure. */
interface Judged {
  readonly verdict: Verdict;
  readonly apis: readonly ApiDiagnosis[];
}

/**
 * Why a diagnosis makes the command fail. Reports show errors only with such a reason, and the exit
 * code is 0 only without one. Without --strict, an API that could not be checked does not fail the
 * command if another one could: the cluster was reachable.
 * @returns undefined if the command succeeds
 */
export function failureOf({ verdict, apis }: Judged, options: Options): string | undefined {
  const unknown = apis.filter((api) => api.verdict === 'unknown');
  const unseen = unknown.filter(({ overview }) => lacksExpiry(overview, options));
  const withError = (wanted: (finding: Finding) => boolean) =>
    apis.filter(({ findings }) => findings.some((finding) => finding.severity === 'error' && wanted(finding)));
  const reasons = [
    ...(options.warningsAreErrors
      ? [
          reason(
            'findings',
            withError(() => true),
            apis,
            '--fail-on warning',
          ),
        ]
      : [
          reason(
            'errors',
            withError((finding) => !isExpiry(finding)),
            apis,
          ),
          reason('certificates that expire soon', withError(isExpiry), apis, '--fail-if-expires-within'),
        ]),
    reason('certificates whose expiry is not known', unseen, apis, '--fail-if-expires-within'),
    reason('checks that did not run', options.strict ? unknown.filter((api) => api.notChecked.length > 0) : [], apis, '--strict'),
  ].filter((each) => each !== undefined);
  if (reasons.length > 0) return reasons.join('; ');
  if (verdict === 'broken') return 'errors in the files';
  return unknown.length > 0 && (options.strict || unknown.length === apis.length) ? noVerdict : undefined;
}

/** `errors in 2 of 6 APIs` */
function reason(what: string, affected: readonly ApiDiagnosis[], all: readonly ApiDiagnosis[], flag?: string): string | undefined {
  const [first] = affected;
  if (!first) return undefined;
  const where = all.length === 1 ? first.name : `${affected.length} of ${all.length} APIs`;
  return `${what} in ${where}${flag === undefined ? '' : ` (${flag})`}`;
}
