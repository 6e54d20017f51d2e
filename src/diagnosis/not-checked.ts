import { dialTargets } from '../snapshot/targets.ts';
import type { ApiSnapshot, Observed, SecretView } from '../snapshot/types.ts';
import { bundleWriter } from './checks/bundle.ts';
import { type CheckContext, seen } from './checks/check.ts';
import { unreachedProbes } from './checks/endpoints.ts';
import { isUnexplained } from './checks/user.ts';
import { truncate } from './truncate.ts';
import type { NotChecked } from './types.ts';

/** The observations of a snapshot of an APIService. */
type Part = { [Key in keyof ApiSnapshot]-?: ApiSnapshot[Key] extends Observed<unknown> ? Key : never }[keyof ApiSnapshot];

const parts: Readonly<Record<Part, string>> = {
  apiService: 'the APIService',
  service: 'the Service',
  endpoints: 'the EndpointSlices',
  pods: 'the pods',
  probes: 'the certificates that the endpoints serve',
  aggregated: 'a request to the API through kube-apiserver',
  group: 'the versions of the API group',
  openApi: 'the OpenAPI document',
  serviceProxy: 'a request to the API through the service proxy',
  list: 'a list request to the API',
  repeated: 'repeated requests to the API',
  asUser: 'the access of the user in --as-user',
  listAsUser: 'a list request as the user in --as-user',
  anonymous: 'an anonymous request to an endpoint',
  forged: 'a request with forged X-Remote-* headers to an endpoint',
  endpointAnswers: 'an anonymous request to each endpoint',
  server: 'the flags, volume mounts and permissions of the extension API server',
  serverLog: 'the log of the extension API server',
  secret: 'the Secret with the serving certificate',
  requestHeader: 'ConfigMap kube-system/extension-apiserver-authentication',
  delegation: 'the permissions of the ServiceAccount of the extension API server',
  neighbours: 'the other APIServices',
  customResources: 'the CustomResourceDefinitions of the group',
  listed: 'aggregated discovery',
};

/**
 * What was not checked, and why. What does not apply is not listed.
 * @param context undefined if the APIService itself was not observed
 */
export function notCheckedOf(snapshot: ApiSnapshot, context: CheckContext | undefined): readonly NotChecked[] {
  const missing = (Object.keys(parts) as Part[]).flatMap((part) => missed(parts[part], snapshot[part]));
  const probes = context ? unreachedProbes(context) : [];
  const unreached = { what: 'the certificates that the endpoints serve', why: truncate(whyUnreached(probes)) };
  const skipped = context?.source === 'cluster' ? skippedEndpoints(context) : 0;
  const more = { what: `${skipped} more endpoints`, why: 'only the first endpoints of a Service are checked' };
  return [
    ...missing,
    ...(context ? untoldByFiles(context) : []),
    ...undecidedUser(snapshot.asUser),
    ...undecidedUser(snapshot.listAsUser),
    ...missedOfPods(snapshot),
    ...missedOfCertManager(snapshot),
    ...(probes.length > 0 ? [unreached] : []),
    ...(skipped > 0 ? [more] : []),
  ];
}

/**
 * The words of each endpoint, and after them the RBAC rules that are missing, each of them once.
 */
function whyUnreached(probes: readonly { readonly at: string; readonly words: string }[]): string {
  const parts = probes.map(({ at, words }) => ({ at, ...splitRule(words) }));
  const endpointsOf = new Map<string, string[]>();
  for (const { at, message } of parts) endpointsOf.set(message, [...(endpointsOf.get(message) ?? []), at]);
  const reasons = [...endpointsOf].map(([message, endpoints]) => `${endpoints.join(', ')}: ${message}`);
  const rules = new Set(parts.flatMap(({ rule }) => rule ?? []));
  return [`not reachable from here (${reasons.join(', ')})`, ...rules].join('. ');
}

/**
 * Splits the reason of a refusal into its message and the fix with the RBAC rule that is missing.
 */
export function splitRule(words: string): { readonly message: string; readonly rule: string | undefined } {
  const [, message = words, rule] = /^(.*?)\. (Grant this RBAC rule: .*)$/s.exec(words) ?? [];
  return { message, rule };
}

/**
 * What the files leave open about the caBundle, the private key and the permissions of the server.
 */
function untoldByFiles(context: CheckContext): readonly NotChecked[] {
  if (context.source !== 'files') return [];
  const { related, delegation, secret } = context.snapshot;
  const { missingCertificate } = related ?? {};
  const bundle = bundleWriter(context);
  const account = seen(delegation);
  const inSecret = seen(secret);
  const may = (what: string) => ({ what: `whether ${account?.account} may ${what}`, why: 'no RBAC in the files grants it' });
  return [
    ...(missingCertificate && missingCertificate.near === undefined
      ? [{ what: 'the CA that cert-manager injects', why: truncate(missingCertificate.why) }]
      : []),
    ...(bundle === undefined ? [] : [{ what: 'the caBundle', why: truncate(`it is empty; ${bundle}`) }]),
    ...(inSecret && inSecret.certificates.length > 0 && inSecret.keyMatches === undefined ? [withoutKey(inSecret, related)] : []),
    ...(account && account.mayReview === undefined ? [may('create TokenReviews and SubjectAccessReviews')] : []),
    ...(account && account.mayReadAuthentication === undefined
      ? [may('read ConfigMap kube-system/extension-apiserver-authentication')]
      : []),
  ];
}

const withoutKey = ({ name, entries }: SecretView, related: ApiSnapshot['related']): NotChecked => ({
  what: 'whether the private key matches the certificate',
  why: related?.missingKey ?? truncate(`Secret ${name} has no private key in ${entries?.key ?? 'tls.key'}`),
});

/** The number of ready endpoints without a TLS handshake. */
function skippedEndpoints({ snapshot, api, probes }: CheckContext): number {
  const [service, endpoints] = [seen(snapshot.service), seen(snapshot.endpoints)];
  if (!service || !endpoints || !api.service || probes.length === 0) return 0;
  return Math.max(dialTargets(service, endpoints, api.service.port).length - probes.length, 0);
}

/**
 * A user that RBAC or the server refuses. Without a SubjectAccessReview it is unknown which of
 * them.
 */
function undecidedUser(asUser: ApiSnapshot['asUser']): readonly NotChecked[] {
  const answer = seen(asUser);
  if (!answer || !isUnexplained(answer)) return [];
  const why = `GET ${answer.path} as ${answer.user}: 403, and a SubjectAccessReview was not possible`;
  return [{ what: `whether RBAC allows user ${truncate(answer.user)}`, why: truncate(why) }];
}

/** Events and logs of pods with a problem. The same permission is missing for all pods. */
function missedOfPods({ pods }: ApiSnapshot): readonly NotChecked[] {
  const closer = seen(pods) ?? [];
  const [events] = closer.flatMap((pod) => missed('the events of the pods', pod.events));
  const [log] = closer.flatMap((pod) => missed('the log of the crashing container', pod.lastLogLine));
  return [...(events ? [events] : []), ...(log ? [log] : [])];
}

/** The objects of cert-manager, which are read only with one of its annotations. */
function missedOfCertManager({ certManager }: ApiSnapshot): readonly NotChecked[] {
  if (!certManager) return [];
  const { certificate, secret, lease } = certManager;
  const issued = certificate && seen(certificate);
  const issuer = issued && seen(issued.issuer);
  const parts: readonly [string, Observed<unknown> | undefined][] = [
    ['the cert-manager Certificate', certificate],
    ['the cert-manager CertificateRequest', issued?.request],
    ['the issuer of the Certificate', issued?.issuer],
    ['the CA of the issuer of the Certificate', issuer?.ca],
    ['the Secret with the CA that cert-manager injects', secret],
    ['the Lease of the cainjector', lease],
  ];
  return parts.flatMap(([what, observed]) => (observed ? missed(what, observed) : []));
}

const missed = (what: string, observed: Observed<unknown>): NotChecked[] =>
  observed.state === 'unseen' && observed.reason !== 'skipped' && !observed.fault ? [{ what, why: truncate(observed.words) }] : [];
