import { groupVersionOf, serverNameOf } from '../config/registration.ts';
import { inspectBundle } from '../snapshot/ca-bundle.ts';
import { judgeEndpoints } from '../snapshot/endpoint-evidence.ts';
import type { ApiServiceView, ApiSnapshot, Snapshot, Source } from '../snapshot/types.ts';
import { entryOf, fill, linkOf } from './catalog.ts';
import { checkAhead } from './checks/ahead.ts';
import { checkDelegation, checkIdentity, checkUser } from './checks/auth.ts';
import { checkBundle } from './checks/bundle.ts';
import { checkCertificates } from './checks/certificate.ts';
import type { Check, CheckContext } from './checks/check.ts';
import { seen } from './checks/check.ts';
import { checkDiscovery } from './checks/discovery.ts';
import { apiServerSays, checkEndpoints, checkTransport } from './checks/endpoints.ts';
import { checkListed } from './checks/listed.ts';
import { checkNetwork } from './checks/network.ts';
import { checkPods } from './checks/pods.ts';
import { checkPriority } from './checks/priority.ts';
import { checkAvailable, checkRegistration } from './checks/registration.ts';
import { checkSecret } from './checks/secret.ts';
import { checkSecurity } from './checks/security.ts';
import { checkService } from './checks/service.ts';
import { factsOf, overviewOf } from './facts.ts';
import { fillFix } from './fix.ts';
import { fold } from './fold.ts';
import { notCheckedOf } from './not-checked.ts';
import { requestPath } from './path.ts';
import { shortened } from './shortened.ts';
import type { ApiDiagnosis, DiagnoseOptions, Diagnosis, Finding, NotChecked, Observation, Verdict } from './types.ts';
import { wordsOf } from './words.ts';

/** In the order of the request's way: what comes first explains what comes later. */
const checks: readonly Check[] = [
  checkRegistration,
  checkPriority,
  checkService,
  checkPods,
  checkEndpoints,
  checkNetwork,
  checkBundle,
  checkTransport,
  checkCertificates,
  checkSecret,
  checkAhead,
  checkSecurity,
  checkIdentity,
  checkDelegation,
  checkUser,
  checkDiscovery,
  checkListed,
  checkAvailable,
];

const defaultExpiresWithinMs = 30 * 86_400_000;

/**
 * Says what is wrong with every API of a snapshot. Pure: the same snapshot gives the same diagnosis anywhere and at any time, since
 * certificates are judged at the time when the snapshot was taken.
 */
export function diagnose(snapshot: Snapshot, options: DiagnoseOptions = {}): Diagnosis {
  const { takenAt, source } = snapshot;
  const settings = {
    now: new Date(takenAt),
    source,
    expiresWithinMs: options.expiresWithinMs ?? defaultExpiresWithinMs,
    strict: options.strict ?? false,
    clusterFlags: options.clusterFlags ?? [],
  };
  const apis = snapshot.apis.map((api) => diagnoseApi(api, settings));
  return { apiVersion: 'apisvc.dev/diagnosis/v1alpha1', takenAt, source, verdict: worst(apis.map(({ verdict }) => verdict)), apis };
}

/** What is the same for every API of a snapshot. */
interface Settings extends Required<DiagnoseOptions> {
  readonly now: Date;
  readonly source: Source;
}

function diagnoseApi(snapshot: ApiSnapshot, settings: Settings): ApiDiagnosis {
  const { name, apiService } = snapshot;
  if (apiService.state === 'absent') {
    const findings = phrase(name, undefined, [{ code: 'registration/missing', evidence: [], args: {} }], settings);
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
  const observations = context ? checks.flatMap((check) => check(context)) : [];
  const findings = fold(observations, phrase(name, context?.api, observations, settings));
  const looked = context?.snapshot ?? snapshot;
  const notChecked = notCheckedOf(snapshot, context);
  return {
    name,
    verdict: verdictOf(looked, settings, findings, notChecked),
    overview: overviewOf(looked),
    findings,
    notChecked,
    facts: factsOf(looked, settings.now).map(shortened),
    path: requestPath(looked, settings.source, findings),
  };
}

function contextOf(given: ApiSnapshot, api: ApiServiceView, { now, source, expiresWithinMs }: Settings): CheckContext {
  const host = api.service && serverNameOf(api.service);
  const bundle = inspectBundle(api);
  const roots = bundle.certificates;
  const words = wordsOf(given, api);
  // Without a Service there are no probes, nor a name to ask for.
  const expected = { roots, hostname: host ?? '', now, any: api.insecureSkipTLSVerify };
  const probes = judgeEndpoints(seen(given.probes) ?? [], expected, apiServerSays(given, words));
  const snapshot = given.probes.state === 'seen' ? { ...given, probes: { ...given.probes, value: probes } } : given;
  return { snapshot, api, now, expiresWithinMs, source: source.kind, host, bundle, roots, words, probes };
}

/** Puts observations into words. */
function phrase(
  name: string,
  api: ApiServiceView | undefined,
  observations: readonly Observation[],
  { clusterFlags }: Settings,
): Finding[] {
  const named = groupVersionOf(name);
  const service = api?.service;
  const base = {
    name,
    version: api?.version ?? named.version,
    group: api?.group ?? named.group,
    service: service?.name ?? '',
    namespace: service?.namespace ?? '',
    port: String(service?.port ?? ''),
    host: service ? serverNameOf(service) : '',
  };
  return observations.map(({ code, severity, evidence, args }) => {
    const { title, cause, fix, ...usual } = entryOf(code);
    const words = Object.fromEntries(Object.entries({ ...base, ...args }).map(([key, value]) => [key, shortened(value)]));
    return {
      code,
      severity: severity ?? usual.severity,
      title: fill(title, words),
      evidence: evidence.map(shortened),
      cause: fill(cause, words),
      fix: fillFix(fix, words, clusterFlags),
      link: linkOf(code),
      explains: [],
    };
  });
}

/**
 * Healthy needs proof: an answer through the aggregator. Where kube-apiserver does not let the person ask, its word that the API is available counts together with
 * a certificate that was seen and is in order; alone it does not, since up to 1.35 it ignores the certificate. Files can prove no more than that nothing is wrong in them.
 */
function verdictOf(
  { apiService, aggregated, probes }: ApiSnapshot,
  { source, strict }: Settings,
  findings: readonly Finding[],
  notChecked: readonly NotChecked[],
): Verdict {
  if (findings.some(({ severity }) => severity === 'error')) return 'broken';
  if (strict && notChecked.length > 0) return 'unknown';
  if (source.kind === 'files' || seen(aggregated)?.status === 200) return 'healthy';
  const api = seen(apiService);
  const served = seen(probes)?.some(({ handshake }) => handshake.kind === 'served') ?? false;
  const proven = api?.service === undefined || served;
  const refused = aggregated.state === 'unseen' && aggregated.reason === 'forbidden';
  return refused && api?.available?.status === 'True' && proven ? 'healthy' : 'unknown';
}

function worst(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('broken')) return 'broken';
  return verdicts.includes('unknown') ? 'unknown' : 'healthy';
}
