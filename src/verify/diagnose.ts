import { serverNameOf } from '../config/registration.ts';
import { entryOf, fill, linkOf, matchesCode } from './catalog.ts';
import { checkBundle, trustedBy } from './checks/bundle.ts';
import { checkCertificates } from './checks/certificate.ts';
import type { Check, CheckContext, Words } from './checks/check.ts';
import { seen } from './checks/check.ts';
import { checkDiscovery } from './checks/discovery.ts';
import { apiServerSays, checkEndpoints, checkTransport, unreachedProbes } from './checks/endpoints.ts';
import { checkPods } from './checks/pods.ts';
import { checkAvailable, checkRegistration } from './checks/registration.ts';
import { checkService } from './checks/service.ts';
import { judgeEndpoints } from './endpoint-evidence.ts';
import { factsOf } from './facts.ts';
import { readGoWords } from './go-words.ts';
import { dialTargets } from './targets.ts';
import type {
  ApiDiagnosis,
  ApiServiceView,
  ApiSnapshot,
  Diagnosis,
  Finding,
  NotChecked,
  Observation,
  Observed,
  Snapshot,
  Source,
  Verdict,
} from './types.ts';

/** In the order of the request's way: what comes first explains what comes later. */
const checks: readonly Check[] = [
  checkRegistration,
  checkService,
  checkPods,
  checkEndpoints,
  checkBundle,
  checkTransport,
  checkCertificates,
  checkDiscovery,
  checkAvailable,
];

/**
 * Says what is wrong with every API of a snapshot. Pure: the same snapshot gives the same diagnosis anywhere and at any time, since
 * certificates are judged at the time when the snapshot was taken.
 */
export function diagnose(snapshot: Snapshot): Diagnosis {
  const now = new Date(snapshot.takenAt);
  const { takenAt, source } = snapshot;
  const apis = snapshot.apis.map((api) => diagnoseApi(api, source, now));
  return { apiVersion: 'apisvc.dev/diagnosis/v1alpha1', takenAt, source, verdict: worst(apis.map(({ verdict }) => verdict)), apis };
}

function diagnoseApi(snapshot: ApiSnapshot, source: Source, now: Date): ApiDiagnosis {
  const { name, apiService } = snapshot;
  if (apiService.state === 'absent') {
    const findings = phrase(name, undefined, [{ code: 'registration/missing', evidence: [], args: {} }]);
    return { name, verdict: 'broken', findings, notChecked: [], facts: [] };
  }
  const context = apiService.state === 'seen' ? contextOf(snapshot, apiService.value, source.kind, now) : undefined;
  const observations = context ? checks.flatMap((check) => check(context)) : [];
  const findings = fold(phrase(name, context?.api, observations));
  return {
    name,
    verdict: verdictOf(context?.snapshot ?? snapshot, source, findings),
    findings,
    notChecked: unseen(snapshot, context),
    facts: factsOf(context?.snapshot ?? snapshot, now).map(shortened),
  };
}

function contextOf(given: ApiSnapshot, api: ApiServiceView, source: Source['kind'], now: Date): CheckContext {
  const host = api.service && serverNameOf(api.service);
  const words = wordsOf(given, api);
  // Without a Service there are no probes, nor a name to ask for.
  const expected = { roots: trustedBy(api), hostname: host ?? '', now };
  const probes = judgeEndpoints(seen(given.probes) ?? [], expected, apiServerSays(given, words));
  const snapshot = given.probes.state === 'seen' ? { ...given, probes: { ...given.probes, value: probes } } : given;
  return { snapshot, api, now, source, host, words, probes };
}

/** What kube-apiserver says about the backend. A condition that is True says nothing: its message is only "all checks passed". */
function wordsOf(snapshot: ApiSnapshot, { available }: ApiServiceView): readonly Words[] {
  const answer = seen(snapshot.aggregated);
  const said = (source: string, text: string): Words => ({ source, text, fault: readGoWords(text) });
  return [
    ...(answer && answer.status >= 400 ? [said(`GET ${answer.path}: ${answer.status}`, answer.body)] : []),
    ...(available && available.status !== 'True' && answer?.status !== 200
      ? [said(`Available=${available.status} (${available.reason})`, available.message)]
      : []),
  ];
}

/** Longer evidence than this helps nobody; the raw answer is a `kubectl get --raw` away. */
const evidenceLimit = 600;
const shortened = (text: string): string => (text.length > evidenceLimit ? `${text.slice(0, evidenceLimit)}...` : text);

/** Puts observations into words. */
function phrase(name: string, api: ApiServiceView | undefined, observations: readonly Observation[]): Finding[] {
  const dot = name.indexOf('.');
  const service = api?.service;
  const base = {
    name,
    version: api?.version ?? name.slice(0, dot),
    group: api?.group ?? name.slice(dot + 1),
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
      fix: fill(fix, words),
      link: linkOf(code),
      explains: [],
    };
  });
}

/** One fault, one finding: puts each symptom beneath the first finding that explains it. */
function fold(findings: readonly Finding[]): Finding[] {
  const causeOf = (finding: Finding): Finding | undefined => {
    const { explainedBy = [] } = entryOf(finding.code);
    return findings.find((other) => other !== finding && other.severity === 'error' && matchesCode(other.code, explainedBy));
  };
  const rootOf = (finding: Finding): Finding => {
    const cause = causeOf(finding);
    return cause ? rootOf(cause) : finding;
  };
  const roots = findings.filter((finding) => causeOf(finding) === undefined);
  return roots.map((root) => ({ ...root, explains: findings.filter((finding) => finding !== root && rootOf(finding) === root) }));
}

/**
 * Healthy needs proof: an answer through the aggregator. Where kube-apiserver does not let the person ask, its word that the API is available counts together with
 * a certificate that was seen and is in order; alone it does not, since up to 1.35 it ignores the certificate. Files can prove no more than that nothing is wrong in them.
 */
function verdictOf({ apiService, aggregated, probes }: ApiSnapshot, source: Source, findings: readonly Finding[]): Verdict {
  if (findings.some(({ severity }) => severity === 'error')) return 'broken';
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

const parts = [
  ['apiService', 'the APIService'],
  ['service', 'the Service'],
  ['endpoints', 'the EndpointSlices'],
  ['pods', 'the pods'],
  ['probes', 'the certificates that the endpoints serve'],
  ['aggregated', 'the API through the aggregator'],
] as const satisfies readonly (readonly [keyof ApiSnapshot, string])[];

function unseen(snapshot: ApiSnapshot, context: CheckContext | undefined): readonly NotChecked[] {
  const missing = parts.flatMap(([part, what]) => missed(what, snapshot[part]));
  const probes = context ? unreachedProbes(context) : [];
  const reasons = probes.map(({ at, words }) => `${at}: ${words}`).join(', ');
  const unreached = { what: 'the certificates that the endpoints serve', why: shortened(`can't be reached from here (${reasons})`) };
  const passedOver = context?.source === 'cluster' ? endpointsPassedOver(context) : 0;
  const more = { what: `${passedOver} more endpoints`, why: 'of each Service only the first are looked at' };
  return [...missing, ...unseenOfPods(snapshot), ...(probes.length > 0 ? [unreached] : []), ...(passedOver > 0 ? [more] : [])];
}

/** How many ready endpoints were not dialled. */
function endpointsPassedOver({ snapshot, api, probes }: CheckContext): number {
  const [service, endpoints] = [seen(snapshot.service), seen(snapshot.endpoints)];
  if (!service || !endpoints || !api.service || probes.length === 0) return 0;
  return Math.max(dialTargets(service, endpoints, api.service.port).length - probes.length, 0);
}

/** What could not be seen of pods in trouble; the same right is missing for all of them. */
function unseenOfPods({ pods }: ApiSnapshot): readonly NotChecked[] {
  const closer = seen(pods) ?? [];
  const [events] = closer.flatMap((pod) => missed('the events of the pods', pod.events));
  const [log] = closer.flatMap((pod) => missed('the log of the container that crashes', pod.lastLogLine));
  return [...(events ? [events] : []), ...(log ? [log] : [])];
}

const missed = (what: string, observed: Observed<unknown>): NotChecked[] =>
  observed.state === 'unseen' && observed.reason !== 'skipped' ? [{ what, why: shortened(observed.words) }] : [];
