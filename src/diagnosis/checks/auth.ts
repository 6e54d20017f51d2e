import { certificateRequired } from '../../cluster/faults.ts';
import { timeText } from '../../pki/time-text.ts';
import { problemOf } from '../../snapshot/pod-problem.ts';
import type { DelegationView, RequestHeaderView } from '../../snapshot/types.ts';
import { crashCauses } from '../crash-causes.ts';
import { type GoFault, parseGoError } from '../go-errors.ts';
import type { Observation } from '../types.ts';
import {
  type ApiServerMessage,
  asWarning,
  type Check,
  type CheckContext,
  findMessage,
  flagOf,
  observation,
  quote,
  seen,
  works,
} from './check.ts';
import { nameOf } from './served-certificates.ts';

/**
 * Whether the server can authenticate kube-apiserver: what kube-apiserver publishes, and whether
 * the server can read it.
 */
export const checkIdentity: Check = (context) => {
  if (!context.api.service) return [];
  return [...checkPublished(context), ...checkReader(context), ...checkClientName(context), ...checkClientCertificate(context)];
};

const warnIfWorks = (context: CheckContext, observed: Observation): Observation => (works(context) ? asWarning(observed) : observed);

/**
 * ConfigMap kube-system/extension-apiserver-authentication
 * (k8s.io/kubernetes/pkg/controlplane/controller/clusterauthenticationtrust).
 */
function checkPublished(context: CheckContext): readonly Observation[] {
  const { requestHeader } = context.snapshot;
  const missing = (line: string) => [warnIfWorks(context, observation('auth/requestheader-missing', [line]))];
  if (requestHeader.state === 'absent') return missing('ConfigMap kube-system/extension-apiserver-authentication does not exist');
  const view = seen(requestHeader);
  if (!view) return [];
  return view.clientCa.length === 0
    ? missing('requestheader-client-ca-file is missing or contains no certificate')
    : checkFrontProxyCa(context, view);
}

/** One valid CA is enough: during a rotation there are several. */
function checkFrontProxyCa(context: CheckContext, { clientCa }: RequestHeaderView): readonly Observation[] {
  const { now, expiresWithinMs } = context;
  const [last] = clientCa.toSorted((one, other) => Date.parse(other.notAfter) - Date.parse(one.notAfter));
  const left = last ? Date.parse(last.notAfter) - now.getTime() : Infinity;
  if (!last || left >= expiresWithinMs) return [];
  const evidence = [`${nameOf(last)}: ${left < 0 ? 'expired' : 'expires'} at ${timeText(last.notAfter)}, SHA-256 ${last.fingerprint}`];
  const args = { subject: nameOf(last), date: last.notAfter.slice(0, 10) };
  if (left >= 0) return [observation('auth/front-proxy-ca-expires-soon', evidence, args)];
  return [warnIfWorks(context, observation('auth/front-proxy-ca-expired', evidence, args))];
}

/**
 * The flags of a server that is built with k8s.io/apiserver (pkg/server/options). Other servers may
 * not read the ConfigMap.
 */
const genericFlags = /^--?(?:secure-port|tls-cert-file|cert-dir|authentication-|authorization-|requestheader-)/;

const flagsOf = ({ snapshot }: CheckContext): readonly string[] => seen(snapshot.server)?.flags ?? [];
const isGeneric = (context: CheckContext): boolean => flagsOf(context).some((flag) => genericFlags.test(flag));
const isSwitchedOn = (context: CheckContext, name: string): boolean =>
  flagsOf(context).some((flag) => flag === `--${name}` || flag === `--${name}=true`);

function checkReader(context: CheckContext): readonly Observation[] {
  const delegation = seen(context.snapshot.delegation);
  if (delegation?.mayReadAuthentication !== false) return [];
  const { account } = delegation;
  const certain = readsAuthentication(context) || triedToRead(context, account);
  if (!certain && !isMeant(context, delegation, 'read-authentication')) return [];
  const misses = missesOf(delegation, 'read-authentication');
  const evidence = [`${account} is not allowed to get ConfigMap kube-system/extension-apiserver-authentication`, ...misses.words];
  const observed = observation('auth/reader-missing', evidence, { account, serviceAccount: shortAccount(account) });
  const placed = { ...observed, ...misses.about };
  return [certain ? warnIfWorks(context, placed) : asWarning(placed)];
}

type Permission = NonNullable<DelegationView['misses']>[number]['permission'];

/**
 * Whether the files bind another ServiceAccount to the permission, so that their author believes
 * that the server needs it. The flags of the server do not tell.
 */
const isMeant = (context: CheckContext, { misses = [] }: DelegationView, wanted: Permission): boolean =>
  !isGeneric(context) && misses.some(({ permission, path }) => permission === wanted && path[0] === 'subjects');

/** The bindings of files that should grant a permission: lines of evidence, and the first one. */
function missesOf(
  { misses = [] }: DelegationView,
  wanted: Permission,
): { readonly words: string[]; readonly about: Pick<Observation, 'about'> } {
  const same = misses.filter(({ permission }) => permission === wanted);
  const [about] = same.map(({ kind, namespace, name, path }) => ({ kind, name, path, ...(namespace === undefined ? {} : { namespace }) }));
  return { words: same.map(({ words }) => words), about: about ? { about } : {} };
}

/**
 * Whether the server needs to read the ConfigMap with its ServiceAccount. With
 * --requestheader-client-ca-file, a failure to read client-ca-file is only logged
 * (k8s.io/apiserver/pkg/server/options/authentication.go, DelegatingAuthenticationOptions.ApplyTo).
 */
const readsAuthentication = (context: CheckContext): boolean =>
  isGeneric(context) &&
  !isSwitchedOn(context, 'authentication-skip-lookup') &&
  !flagOf(context, 'authentication-kubeconfig') &&
  !flagOf(context, 'requestheader-client-ca-file');

/** Whether the log of a crashing pod reports it, whatever its flags. */
const triedToRead = ({ snapshot, now }: CheckContext, account: string): boolean =>
  (seen(snapshot.pods) ?? [])
    .flatMap((pod) => problemOf(pod, now)?.said ?? [])
    .some((line) => crashCauses['auth/reader-missing'].test(line) && line.includes(account));

const shortAccount = (account: string): string => account.replace(/^system:serviceaccount:/, '');

/** The allowed names of the server, and its messages about the name that it got. */
function checkClientName(context: CheckContext): readonly Observation[] {
  if (works(context)) return [];
  const message = findMessage(context, 'client-name');
  const logs = new Set((seen(context.snapshot.pods) ?? []).flatMap(({ lastLogLine }) => seen(lastLogLine) ?? []));
  const logged = [...logs].filter((line) => /is not in the allowed list/.test(line));
  const own = flagOf(context, 'requestheader-allowed-names')?.split(',').filter(Boolean) ?? [];
  const published = seen(context.snapshot.requestHeader)?.allowedNames ?? [];
  const disjoint = own.length > 0 && published.length > 0 && !published.some((name) => own.includes(name));
  const evidence = [
    ...(message ? [quote(message)] : []),
    ...logged.map((line) => `log: ${line}`),
    ...(disjoint
      ? [
          `--requestheader-allowed-names of the extension API server: ${own.join(', ')}`,
          `--requestheader-allowed-names of kube-apiserver: ${published.join(', ')}`,
        ]
      : []),
  ];
  return evidence.length > 0 ? [observation('auth/client-name-not-allowed', evidence)] : [];
}

function checkClientCertificate(context: CheckContext): readonly Observation[] {
  const { anonymous } = context.snapshot;
  const demand = anonymous.state === 'unseen' && certificateRequired.test(anonymous.words) ? anonymous.words : undefined;
  // The TLS alert may be lost when the server closes the connection at once (RFC 9112 9.6).
  const message = findMessage(context, 'client-certificate') ?? (demand === undefined ? undefined : findMessage(context, 'lost'));
  if (!message) return [];
  const here = demand === undefined ? [] : [`request to an endpoint without a client certificate: ${demand}`];
  // The TLS alert certificate_expired (RFC 8446 6.2) depends on the clock of the server.
  const clock = /tls: expired certificate/.test(message.text)
    ? ["according to the clock of the server's node, kube-apiserver's client certificate has expired"]
    : [];
  return [observation('auth/proxy-certificate-refused', [quote(message), ...here, ...clock])];
}

/**
 * Whether the server is allowed to create TokenReviews and SubjectAccessReviews. The API may work
 * without: servers allow system:masters, and so the probe of kube-apiserver and administrators,
 * without a review (k8s.io/apiserver/pkg/server/options/authorization.go, AlwaysAllowGroups). Only
 * a message of the server proves that its reviews fail.
 */
export const checkDelegation: Check = (context) => {
  const delegation = seen(context.snapshot.delegation);
  const message = findMessage(context, 'delegator-missing');
  const messages = [...(message ? [message] : []), ...anonymousMessages(context)];
  const denied = delegation?.mayReview === false;
  const reviewing = denied && (probablyReviews(context) || isMeant(context, delegation, 'review'));
  if (messages.length === 0 && !reviewing) return [];
  const misses = delegation ? missesOf(delegation, 'review') : { words: [], about: {} };
  const named =
    messages.flatMap(({ text }) => /system:serviceaccount:[a-z0-9.-]+:[a-z0-9.-]+/.exec(text)?.[0] ?? [])[0] ?? delegation?.account;
  // Recordings of earlier versions tell only that one of both is denied.
  const reviews = (denied ? delegation.deniedReviews : undefined)?.join(' and ') ?? 'TokenReviews and SubjectAccessReviews';
  const evidence = [
    ...messages.map(quote),
    ...(denied ? [`${delegation.account} is not allowed to create ${reviews.toLowerCase()}`, ...misses.words] : []),
  ];
  const serviceAccount = named ? shortAccount(named) : `${context.api.service?.namespace}:<service account>`;
  const observed = { ...observation('auth/delegator-missing', evidence, { serviceAccount, reviews }), ...misses.about };
  return [messages.length > 0 ? observed : asWarning(observed)];
};

/** The error of a direct request without credentials, if it reports the missing permission. */
function anonymousMessages({ snapshot }: CheckContext): readonly ApiServerMessage[] {
  const answers = [seen(snapshot.anonymous), seen(snapshot.forged)].filter((answer) => answer !== undefined);
  const answer = answers.find(({ status, body }) => status >= 400 && parseGoError(body, delegatorMissing) !== undefined);
  if (!answer) return [];
  return [{ source: `GET ${answer.path} directly at an endpoint: ${answer.status}`, text: answer.body, fault: 'delegator-missing' }];
}

const delegatorMissing: ReadonlySet<GoFault> = new Set(['delegator-missing']);

/**
 * Whether the server probably sends reviews with its ServiceAccount. One that answered an anonymous
 * request with 200 or 403 needs no reviews, or got an answer.
 */
const probablyReviews = (context: CheckContext): boolean =>
  isGeneric(context) &&
  !flagOf(context, 'authentication-kubeconfig') &&
  !flagOf(context, 'authorization-kubeconfig') &&
  ![200, 403].includes(seen(context.snapshot.anonymous)?.status ?? 0);
