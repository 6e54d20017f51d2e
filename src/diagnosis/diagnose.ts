import { groupVersionOf, serverNameOf } from '../config/registration.ts';
import { inspectBundle } from '../snapshot/ca-bundle.ts';
import { judgeEndpoints } from '../snapshot/endpoint-evidence.ts';
import type { ApiServiceView, ApiSnapshot, Snapshot, Source } from '../snapshot/types.ts';
import { apiServerMessages } from './api-server-messages.ts';
import { entryOf, fill, linkOf } from './catalog.ts';
import { checkDelegation, checkIdentity, checkUser } from './checks/auth.ts';
import { checkBundle } from './checks/bundle.ts';
import { checkCertificates } from './checks/cert.ts';
import { checkCertificatesInFiles } from './checks/certificates-in-files.ts';
import type { Check, CheckContext } from './checks/check.ts';
import { seen } from './checks/check.ts';
import { checkDiscovery } from './checks/discovery.ts';
import { apiServerSays, checkEndpoints, checkTransport } from './checks/endpoints.ts';
import { checkExpiry } from './checks/expiry.ts';
import { checkListed } from './checks/listed.ts';
import { checkNetwork } from './checks/network.ts';
import { checkPods } from './checks/pods.ts';
import { checkPriority } from './checks/priority.ts';
import { checkAvailable, checkRegistration } from './checks/registration.ts';
import { checkSecret } from './checks/secret.ts';
import { checkSecurity } from './checks/security.ts';
import { checkService } from './checks/service.ts';
import { factsOf, overviewOf } from './facts.ts';
import { failureOf, lacksExpiry, raised } from './failure.ts';
import { fillFix } from './fix.ts';
import { fold } from './fold.ts';
import { notCheckedOf } from './not-checked.ts';
import { requestPath } from './path.ts';
import { truncate } from './truncate.ts';
import type { ApiDiagnosis, DiagnoseOptions, Diagnosis, Finding, Observation } from './types.ts';
import { verdictOf, worstOf } from './verdict.ts';

/** In the order of the request path: earlier findings explain later ones. */
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
  checkCertificatesInFiles,
  checkSecret,
  checkExpiry,
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
 * Diagnoses every API of a snapshot. Pure: the same snapshot always gives the same diagnosis,
 * because certificates are verified at the time when the snapshot was taken.
 */
export function diagnose(snapshot: Snapshot, options: DiagnoseOptions = {}): Diagnosis {
  const { takenAt, source } = snapshot;
  const settings = {
    now: new Date(takenAt),
    source,
    expiresWithinMs: options.expiresWithinMs ?? defaultExpiresWithinMs,
    failIfExpiresSoon: options.failIfExpiresSoon ?? false,
    strict: options.strict ?? false,
    clusterFlags: options.clusterFlags ?? [],
  };
  const apis = snapshot.apis.map((api) => diagnoseApi(api, settings));
  const verdict = worstOf(apis.map((api) => api.verdict));
  const failure = failureOf({ verdict, apis }, settings);
  return { apiVersion: 'apisvc.dev/diagnosis/v1alpha1', takenAt, source, verdict, ...(failure === undefined ? {} : { failure }), apis };
}

/** The settings for all APIs of a snapshot. */
interface Settings extends Required<DiagnoseOptions> {
  readonly now: Date;
  readonly source: Source;
}

function diagnoseApi(snapshot: ApiSnapshot, settings: Settings): ApiDiagnosis {
  const { name, apiService } = snapshot;
  if (apiService.state === 'absent') {
    const findings = toFindings(name, undefined, [{ code: 'registration/missing', evidence: [], args: {} }], settings);
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
  const observations = context ? checks.flatMap((check) => check(context)).map((observed) => raised(observed, settings)) : [];
  const findings = fold(observations, toFindings(name, context?.api, observations, settings));
  const judged = context?.snapshot ?? snapshot;
  const notChecked = notCheckedOf(snapshot, context);
  const overview = overviewOf(judged);
  const incomplete = (settings.strict && notChecked.length > 0) || lacksExpiry(overview, settings);
  return {
    name,
    verdict: verdictOf({ snapshot: judged, source: settings.source.kind, incomplete, findings }),
    overview,
    findings,
    notChecked,
    facts: factsOf(judged, settings.now).map(truncate),
    path: requestPath(judged, settings.source, findings),
  };
}

function contextOf(collected: ApiSnapshot, api: ApiServiceView, { now, source, expiresWithinMs }: Settings): CheckContext {
  const host = api.service && serverNameOf(api.service);
  const bundle = inspectBundle(api);
  const roots = bundle.certificates;
  const messages = apiServerMessages(collected, api);
  // An API without a Service has no probes, and no host name to verify.
  const expected = { roots, hostname: host ?? '', now, any: api.insecureSkipTLSVerify };
  const probes = judgeEndpoints(seen(collected.probes) ?? [], expected, apiServerSays(collected, messages));
  const snapshot = collected.probes.state === 'seen' ? { ...collected, probes: { ...collected.probes, value: probes } } : collected;
  return { snapshot, api, now, expiresWithinMs, source: source.kind, host, bundle, roots, messages, probes };
}

/** Adds the texts of the catalog to observations. */
function toFindings(
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
    const values = Object.fromEntries(Object.entries({ ...base, ...args }).map(([key, value]) => [key, truncate(value)]));
    return {
      code,
      severity: severity ?? usual.severity,
      title: fill(title, values),
      evidence: evidence.map(truncate),
      cause: fill(cause, values),
      fix: fillFix(fix, values, clusterFlags),
      link: linkOf(code),
      explains: [],
    };
  });
}
