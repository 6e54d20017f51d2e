import type { ApiServiceView, ApiSnapshot, FilesView, Snapshot, Source } from '../snapshot/types.ts';
import { checkAnswer } from './checks/answer.ts';
import { checkDelegation, checkIdentity } from './checks/auth.ts';
import { checkBundle } from './checks/bundle.ts';
import { checkCertificates } from './checks/cert.ts';
import { checkCertManager } from './checks/cert-manager.ts';
import { checkCertificatesInFiles } from './checks/certificates-in-files.ts';
import type { Check, CheckContext } from './checks/check.ts';
import { seen } from './checks/check.ts';
import { checkClock } from './checks/clock.ts';
import { checkDeletion } from './checks/deletion.ts';
import { checkDiscovery } from './checks/discovery.ts';
import { checkEndpoints, checkTransport } from './checks/endpoints.ts';
import { checkExpiry } from './checks/expiry.ts';
import { checkList } from './checks/list.ts';
import { checkListed } from './checks/listed.ts';
import { checkManifest } from './checks/manifest.ts';
import { checkNetwork } from './checks/network.ts';
import { checkPods } from './checks/pods.ts';
import { checkPriority } from './checks/priority.ts';
import { checkProject } from './checks/project.ts';
import { checkAvailable, checkRegistration } from './checks/registration.ts';
import { checkRotation } from './checks/rotation.ts';
import { checkSecret } from './checks/secret.ts';
import { checkSecurity } from './checks/security.ts';
import { checkServerName } from './checks/server-name.ts';
import { checkService } from './checks/service.ts';
import { checkSiblings } from './checks/siblings.ts';
import { checkRefusedUser, checkUser } from './checks/user.ts';
import { factsOf, overviewOf } from './facts.ts';
import { failureOf, lacksExpiry, raised } from './failure.ts';
import { fileObservations, skippedOf } from './files.ts';
import { toFileFinding, toFindings } from './finding.ts';
import { fold } from './fold.ts';
import { judge } from './judged.ts';
import { markRepeated } from './locations.ts';
import { notCheckedOf } from './not-checked.ts';
import { requestPath } from './path.ts';
import { truncate } from './truncate.ts';
import type { ApiDiagnosis, DiagnoseOptions, Diagnosis, FilesDiagnosis, Finding, NotChecked, Observation } from './types.ts';
import { verdictOf, worstOf } from './verdict.ts';

/** In the order of the request path: earlier findings explain later ones. */
const checks: readonly Check[] = [
  checkManifest,
  checkRegistration,
  checkDeletion,
  checkPriority,
  checkService,
  checkPods,
  checkEndpoints,
  checkNetwork,
  checkClock,
  checkCertManager,
  checkBundle,
  checkServerName,
  checkTransport,
  checkAnswer,
  checkCertificates,
  checkCertificatesInFiles,
  checkSecret,
  checkRotation,
  checkProject,
  checkExpiry,
  checkSecurity,
  checkIdentity,
  checkDelegation,
  checkUser,
  checkSiblings,
  checkDiscovery,
  checkList,
  checkListed,
  checkAvailable,
];

const defaultExpiresWithinMs = 30 * 86_400_000;

/**
 * Diagnoses every API of a snapshot. Pure: the same snapshot always gives the same diagnosis,
 * because certificates are verified at the time when the snapshot was taken.
 */
export function diagnose(snapshot: Snapshot, options: DiagnoseOptions = {}): Diagnosis {
  const { takenAt, source, files } = snapshot;
  const settings: Common = {
    source,
    expiresWithinMs: options.expiresWithinMs ?? defaultExpiresWithinMs,
    failIfExpiresSoon: options.failIfExpiresSoon ?? false,
    strict: options.strict ?? false,
    clusterFlags: options.clusterFlags ?? [],
    project: options.project,
    place: options.place ?? (() => undefined),
    warningsAreErrors: options.warningsAreErrors ?? false,
  };
  // The clock of this machine concerns all APIs, and is reported once.
  const first = snapshot.apis.find(({ apiService }) => seen(apiService)?.service !== undefined);
  const each = snapshot.apis.map((api) => {
    // kube-apiserver verifies certificates, so its time counts.
    const now = new Date(Date.parse(takenAt) + (api.apiServerAheadMs ?? 0));
    return diagnoseApi(api, { ...settings, now, reportsClock: api === first });
  });
  const apis = markRepeated(each);
  // Without an APIService that was checked, lint fails.
  const inFiles = files && diagnoseFiles(files, { ...settings, strict: settings.strict || apis.length === 0 });
  const verdicts = [...apis.map(({ verdict }) => verdict), ...(inFiles?.findings.some(isError) ? ['broken' as const] : [])];
  const verdict = worstOf(verdicts);
  const failure = failureOf({ verdict, apis }, settings);
  return {
    apiVersion: 'apisvc.dev/diagnosis/v1alpha1',
    takenAt,
    source,
    verdict,
    ...(failure === undefined ? {} : { failure }),
    apis,
    ...(inFiles ? { files: inFiles } : {}),
  };
}

const isError = ({ severity }: Finding): boolean => severity === 'error';

/** What is wrong with files whose objects are not checked. */
function diagnoseFiles(files: FilesView, settings: Common): FilesDiagnosis {
  const findings = fileObservations(files).map((observed) =>
    // Each of them means that something was not checked.
    toFileFinding(settings.strict ? { ...observed, severity: 'error' } : raised(observed, settings), observed.places, settings),
  );
  return { findings, notChecked: skippedOf(files) };
}

/** The settings for all APIs of a snapshot. */
interface Common extends Required<DiagnoseOptions> {
  readonly source: Source;
}

interface Settings extends Common {
  /** The time of kube-apiserver. */
  readonly now: Date;
  readonly reportsClock: boolean;
}

function diagnoseApi(snapshot: ApiSnapshot, settings: Settings): ApiDiagnosis {
  const { name, apiService } = snapshot;
  if (apiService.state === 'absent') {
    const findings = toFindings(name, undefined, [missing(snapshot)], settings);
    return {
      name,
      verdict: 'broken',
      overview: overviewOf(snapshot),
      findings,
      notChecked: [],
      facts: [],
      path: requestPath(snapshot, settings.source, findings),
    };
  }
  const context = apiService.state === 'seen' ? contextOf(snapshot, apiService.value, settings) : undefined;
  const notChecked = notCheckedOf(snapshot, context);
  const found = context ? [...checks.flatMap((check) => check(context)), ...lacking(notChecked, settings)] : checkRefusedUser(snapshot);
  const observations = found.map((each) => raised(each, settings));
  const findings = fold(observations, toFindings(name, context?.api, observations, settings));
  const judged = context?.snapshot ?? snapshot;
  const overview = overviewOf(judged);
  const incomplete = (settings.strict && notChecked.length > 0) || lacksExpiry(overview, settings) || lacksProbe(judged);
  const location = settings.place({ kind: 'APIService', name, path: [] });
  return {
    name,
    verdict: verdictOf({ snapshot: judged, source: settings.source.kind, incomplete, findings }),
    overview,
    findings,
    notChecked,
    facts: factsOf(judged, settings.now).map(truncate),
    path: requestPath(judged, settings.source, findings),
    ...(location ? { location } : {}),
  };
}

/** Whether the path of --probe could not be requested. A request that fails is a finding. */
const lacksProbe = ({ probed = false, list }: ApiSnapshot): boolean => probed && list.state === 'unseen' && list.reason !== 'skipped';

/**
 * With --strict, what files do not contain is an error, so that every report shows why it fails.
 */
const lacking = (notChecked: readonly NotChecked[], { strict, source }: Settings): readonly Observation[] =>
  strict && source.kind === 'files' && notChecked.length > 0
    ? [{ code: 'manifest/incomplete', evidence: notChecked.map(({ what, why }) => `${what}: ${why}`), args: {} }]
    : [];

const missing = ({ similar = [] }: ApiSnapshot): Observation => {
  const names = similar.join(' or ');
  const evidence = similar.length > 0 ? [`APIServices with a similar name: ${similar.join(', ')}`] : [];
  return { code: 'registration/missing', evidence, args: { didYouMean: names && ` (did you mean ${names}?)` } };
};

function contextOf(collected: ApiSnapshot, api: ApiServiceView, settings: Settings): CheckContext {
  const { now, source, expiresWithinMs, reportsClock } = settings;
  const judged = judge(collected, api, now);
  const { probes } = judged;
  const snapshot = collected.probes.state === 'seen' ? { ...collected, probes: { ...collected.probes, value: probes } } : collected;
  return { snapshot, api, now, reportsClock, expiresWithinMs, source: source.kind, ...judged };
}
