import type { CertificateInfo } from '../pki/types.ts';
import { trustedBy } from '../snapshot/ca-bundle.ts';
import { seen } from '../snapshot/observed.ts';
import type {
  ApiServiceView,
  ApiSnapshot,
  EndpointProbe,
  Observed,
  ProjectView,
  RotationView,
  Snapshot,
  Source,
} from '../snapshot/types.ts';
import type { Code } from './catalog.ts';
import { nameOf } from './checks/served-certificates.ts';
import { daysBetween } from './days.ts';
import { diagnose } from './diagnose.ts';
import { isAboutCertificates, isDrift } from './drift.ts';
import { judge } from './judged.ts';
import { fileIn } from './project-files.ts';
import { isReplacement } from './replacement.ts';
import { ownersOf, type StatusIssuer } from './status-issuer.ts';
import { withOwnFix, withSymptoms } from './symptoms.ts';
import type { ApiDiagnosis, DiagnoseOptions, Finding } from './types.ts';
import { type Unfinished, unfinishedOf } from './unfinished.ts';

/** One certificate at one place, or why there is none or it is not known. */
export interface StatusRow {
  readonly place: 'files' | 'next-files' | 'secret' | 'ca-bundle' | 'endpoint';
  /**
   * `certs/tls.crt`, `secret/wardle/api-tls`, `apiservice/v1.example.com`, `10.0.0.1:8443 (pod x)`.
   */
  readonly name: string;
  readonly subject?: string;
  /** Hexadecimal. */
  readonly serial?: string;
  /** SHA-256, `AB:CD:...`. */
  readonly fingerprint?: string;
  readonly issuer?: string;
  readonly notAfter?: string;
  readonly daysLeft?: number;
  /** Whether the project has it. `next`: in certs/next/, or the Lease of the rotation names it. */
  readonly sameAsProject?: 'yes' | 'no' | 'next';
  readonly codes: readonly Code[];
  /** Why the place has no certificate. */
  readonly none?: string;
  /** Why the place was not checked. */
  readonly notChecked?: string;
}

/** The certificates of one or more APIServices at every place, and whether they belong together. */
export interface Status {
  readonly apiVersion: 'apisvc.dev/status/v1alpha1';
  readonly takenAt: string;
  readonly source: Source;
  /** Who makes the key and writes what, where all of them belong to the project. */
  readonly issuer?: StatusIssuer;
  /** The directory of the project that they are compared with. */
  readonly project?: string;
  /** unknown: a place in the cluster was not checked, and the others do not differ. */
  readonly verdict: 'same' | 'drift' | 'unknown';
  /** Why the command fails; absent when it succeeds. */
  readonly failure?: string;
  readonly rotations: readonly RotationView[];
  /** What a rotation left, where no process rotates: what to do about it. */
  readonly unfinished?: Unfinished;
  readonly rows: readonly StatusRow[];
  readonly findings: readonly Finding[];
}

export interface StatusOptions extends Pick<DiagnoseOptions, 'clusterFlags' | 'project'> {
  readonly compared?: ProjectView | undefined;
  /** The certificates in certs/next/. */
  readonly next?: Omit<ProjectView, 'directory'> | undefined;
  /** Whether certs/next/ exists, whatever it holds. */
  readonly hasNext?: boolean | undefined;
  /** Whether `rotate` could continue with it. Default true. */
  readonly isNextComplete?: boolean | undefined;
  /** Why files of certs/ cannot be read, by the path below it. */
  readonly unreadable?: Readonly<Record<string, string>> | undefined;
  /** A certificate that expires within this time, in milliseconds, makes the command fail. */
  readonly failIfExpiresWithin?: number | undefined;
}

/** Compares the certificates at every place. Pure: the diagnosis decides what is drift. */
export function statusOf(snapshot: Snapshot, options: StatusOptions): Status {
  const { takenAt, source, apis } = snapshot;
  const { compared, failIfExpiresWithin } = options;
  const diagnosis = diagnose(snapshot, {
    ...options,
    ...(failIfExpiresWithin === undefined ? {} : { expiresWithinMs: failIfExpiresWithin, failIfExpiresSoon: true }),
  });
  const place = { ...options, now: new Date(takenAt) };
  const rows = [
    ...fileRows(place),
    ...unique(apis.flatMap((api, index) => clusterRows(api, diagnosis.apis[index] as ApiDiagnosis, place))),
  ];
  const own = rows
    .filter(({ place: where }) => where === 'secret' || where === 'endpoint')
    .every(({ sameAsProject }) => sameAsProject === 'yes');
  const findings = withOwnFix(diagnosis.apis.flatMap(({ findings: each }) => withSymptoms(each)).filter(isAboutCertificates), own);
  const unknown = rows.some(({ place: where, notChecked }) => !where.endsWith('files') && notChecked !== undefined);
  const failure = failureOf(rows, findings, options, place.now) ?? (unknown ? notAllChecked : undefined);
  const rotations = uniqueBy(
    apis.flatMap(({ rotation }) => (rotation && seen(rotation)) ?? []),
    JSON.stringify,
  );
  const unfinished = unfinishedOf(rotations, apis, options);
  return {
    apiVersion: 'apisvc.dev/status/v1alpha1',
    takenAt,
    source,
    ...(options.project ? { issuer: ownersOf(options.project.issuer) } : {}),
    ...(compared ? { project: compared.directory } : {}),
    verdict: findings.some((each) => isDrift(each, compared)) ? 'drift' : unknown ? 'unknown' : 'same',
    ...(failure === undefined ? {} : { failure }),
    rotations,
    ...(unfinished ? { unfinished } : {}),
    rows,
    findings,
  };
}

/** The failure if nothing else is wrong. The places that were not checked may differ. */
export const notAllChecked = 'certificates that were not checked';

function failureOf(rows: readonly StatusRow[], findings: readonly Finding[], options: StatusOptions, now: Date) {
  const { compared, failIfExpiresWithin, unreadable = {} } = options;
  const drift = findings.filter((each) => isDrift(each, compared)).map(({ code }) => code);
  const soon = rows.filter(
    ({ notAfter }) => failIfExpiresWithin !== undefined && notAfter && Date.parse(notAfter) - now.getTime() < failIfExpiresWithin,
  );
  const files = compared ? Object.keys(unreadable).map((name) => fileIn(compared.directory, name)) : [];
  const reasons = [
    ...(files.length > 0 ? [`files that cannot be read: ${files.join(', ')}`] : []),
    ...(drift.length > 0 ? [`drift: ${[...new Set(drift)].join(', ')}`] : []),
    ...(soon.length > 0
      ? [`certificates that expire soon (--fail-if-expires-within): ${[...new Set(soon.map(({ name }) => name))].join(', ')}`]
      : []),
  ];
  return reasons.length > 0 ? reasons.join('; ') : undefined;
}

interface Place extends StatusOptions {
  readonly now: Date;
}

type Start = Pick<StatusRow, 'place' | 'name' | 'codes'>;

const unknownRow = (start: Start, notChecked: string): StatusRow => ({ ...start, notChecked });

const emptyRow = (start: Start, none: string): StatusRow => ({ ...start, none });

function certificateRow(start: Start, certificate: CertificateInfo, same: StatusRow['sameAsProject'], now: Date): StatusRow {
  const { serial, fingerprint, issuer, notAfter } = certificate;
  return {
    ...start,
    ...{ subject: nameOf(certificate), serial, fingerprint, issuer, notAfter },
    daysLeft: daysBetween(now, new Date(notAfter)),
    ...(same === undefined ? {} : { sameAsProject: same }),
  };
}

/** The files of the project. A clone may lack them, because git ignores keys only. */
function fileRows({ compared, next, unreadable = {}, now }: Place): readonly StatusRow[] {
  if (!compared) return [];
  const rowsOf = (place: 'files' | 'next-files', name: string, certificates: readonly CertificateInfo[], same: 'yes' | 'next') => {
    const start = { place, name: fileIn(compared.directory, name), codes: [] };
    if (certificates.length > 0) return certificates.map((each) => certificateRow(start, each, same, now));
    return [unreadable[name] === undefined ? emptyRow(start, 'not found') : unknownRow(start, unreadable[name])];
  };
  const leafOf = ({ certificate }: Pick<ProjectView, 'certificate'>) => (certificate ? [certificate] : []);
  const hasNext = next?.certificate !== undefined || Object.keys(unreadable).some((name) => name.startsWith('next/'));
  return [
    ...rowsOf('files', 'ca.crt', compared.authorities, 'yes'),
    ...rowsOf('files', 'tls.crt', leafOf(compared), 'yes'),
    ...(next && hasNext
      ? [...rowsOf('next-files', 'next/ca.crt', next.authorities, 'next'), ...rowsOf('next-files', 'next/tls.crt', leafOf(next), 'next')]
      : []),
  ];
}

/** Whether the project has a serving certificate, now or next. */
function sameLeaf(leaf: CertificateInfo, { compared, next, now }: Place, rotation: RotationView | undefined): StatusRow['sameAsProject'] {
  if (!compared?.certificate) return undefined;
  const { fingerprint } = leaf;
  if (fingerprint === compared.certificate.fingerprint) return 'yes';
  if ([next?.certificate?.fingerprint, rotation?.newCertificate].includes(fingerprint)) return 'next';
  return isReplacement(leaf, compared, now) ? undefined : 'no';
}

function sameCa(ca: CertificateInfo, { compared, next }: Place): StatusRow['sameAsProject'] {
  if (!compared || compared.authorities.length === 0) return undefined;
  const isIn = (all: readonly CertificateInfo[] = []): boolean => all.some(({ fingerprint }) => fingerprint === ca.fingerprint);
  return isIn(compared.authorities) ? 'yes' : isIn(next?.authorities) ? 'next' : 'no';
}

/** The Secret, the caBundle and the endpoints of one APIService. */
function clusterRows(api: ApiSnapshot, diagnosis: ApiDiagnosis, place: Place): readonly StatusRow[] {
  const name = `apiservice/${api.name}`;
  const start: Start = { place: 'ca-bundle', name, codes: [] };
  if (api.apiService.state === 'absent') return [emptyRow({ ...start, codes: ['registration/missing'] }, 'the APIService does not exist')];
  if (api.apiService.state === 'unseen') return [unknownRow(start, api.apiService.words)];
  const view = api.apiService.value;
  if (!view.service) return [emptyRow(start, 'it is Local: kube-apiserver serves it itself')];
  return [
    ...secretRows(api, view.service, diagnosis, place),
    ...bundleRows(view, { ...start, codes: codesIn(diagnosis, /^(bundle\/|registration\/(?:bundle-manager|other-service)$)/) }, place),
    ...endpointRows(api, view, diagnosis, place),
  ];
}

const codesIn = ({ findings }: ApiDiagnosis, family: RegExp): readonly Code[] => [
  ...new Set(withSymptoms(findings).flatMap(({ code }) => (family.test(code) ? [code] : []))),
];

function secretRows(
  api: ApiSnapshot,
  { namespace }: { readonly namespace: string },
  diagnosis: ApiDiagnosis,
  place: Place,
): readonly StatusRow[] {
  const { secret } = api;
  const codes = codesIn(diagnosis, /^(cert\/(?:secret-|other-secret$)|security\/key-mismatch)/);
  const view = seen(secret);
  const start: Start = { place: 'secret', name: view ? `secret/${namespace}/${view.name}` : `Secret in namespace ${namespace}`, codes };
  if (secret.state === 'absent') return [emptyRow(start, 'the Secret does not exist')];
  if (secret.state === 'unseen') {
    const why = whyUnread([secret, api.service, api.pods]);
    return [why === undefined ? emptyRow(start, secret.words) : unknownRow(start, why)];
  }
  const { certificates, entries } = secret.value;
  const [leaf] = certificates;
  if (!leaf) return [emptyRow(start, `no certificate in ${entries?.certificate ?? 'tls.crt'}`)];
  return [leafRow(start, leaf, { api, diagnosis, place })];
}

/** A serving certificate. Its finding may be a symptom of another one. */
function leafRow(
  start: Start,
  leaf: CertificateInfo,
  of: { readonly api: ApiSnapshot; readonly diagnosis: ApiDiagnosis; readonly place: Place },
): StatusRow {
  const same = sameLeaf(leaf, of.place, rotationOf(of.api));
  const differs = same === 'no' ? codesIn(of.diagnosis, /^cert\/not-project-certificate$/) : [];
  return certificateRow({ ...start, codes: [...new Set([...start.codes, ...differs])] }, leaf, same, of.place.now);
}

const rotationOf = ({ rotation }: ApiSnapshot): RotationView | undefined => rotation && seen(rotation);

/**
 * Why a place could not be read: the reason of the first part that was not left out on purpose.
 * @param parts the place, and what is needed to read it
 * @returns undefined if there is nothing to read
 */
const whyUnread = (parts: readonly Observed<unknown>[]): string | undefined =>
  parts.flatMap((each) => (each.state === 'unseen' && each.reason !== 'skipped' ? [each.words] : []))[0];

function bundleRows(view: ApiServiceView, start: Start, place: Place): readonly StatusRow[] {
  if (view.insecureSkipTLSVerify) {
    const codes: readonly Code[] = [...start.codes, 'security/insecure-skip-tls-verify'];
    return [emptyRow({ ...start, codes }, 'insecureSkipTLSVerify: kube-apiserver accepts every certificate')];
  }
  const roots = trustedBy(view);
  if (roots.length === 0) return [emptyRow(start, 'the caBundle has no certificate')];
  return roots.map((ca) => certificateRow(start, ca, sameCa(ca, place), place.now));
}

function endpointRows(api: ApiSnapshot, view: ApiServiceView, diagnosis: ApiDiagnosis, place: Place): readonly StatusRow[] {
  const service = `${view.service?.namespace}/${view.service?.name}`;
  const none = (why: string): readonly StatusRow[] => [
    unknownRow({ place: 'endpoint', name: `endpoints of service/${service}`, codes: [] }, why),
  ];
  if (api.probes.state !== 'seen') return none(whyUnread([api.probes, api.service, api.endpoints]) ?? 'no endpoint is ready');
  const { probes } = judge(api, view, new Date(place.now.getTime() + (api.apiServerAheadMs ?? 0)));
  if (probes.length === 0) return none('no endpoint is ready');
  return probes.map(({ at, handshake }: EndpointProbe) => {
    const hop = diagnosis.path.find(({ kind, name }) => kind === 'endpoint' && name === at);
    const start: Start = { place: 'endpoint', name: at, codes: (hop?.codes ?? []).filter((code) => isAboutCertificates({ code })) };
    if (handshake.kind === 'failed') return unknownRow(start, handshake.words);
    const [leaf] = handshake.certificates;
    if (!leaf) return emptyRow(start, 'it serves no certificate');
    return leafRow(start, leaf, { api, diagnosis, place });
  });
}

/** Several APIServices share a Secret and endpoints. */
const unique = (rows: readonly StatusRow[]): readonly StatusRow[] =>
  uniqueBy(rows, ({ place, name, fingerprint }) => JSON.stringify([place, name, fingerprint]));

function uniqueBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly T[] {
  const known = new Set<string>();
  return items.filter((item) => known.size < known.add(keyOf(item)).size);
}
