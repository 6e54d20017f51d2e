import { certificateRequired } from '../../cluster/faults.ts';
import { problemOf } from '../../snapshot/pod-problem.ts';
import type { AsUserView, RequestHeaderView } from '../../snapshot/types.ts';
import { crashCauses } from '../crash-causes.ts';
import { type GoFault, readGoWords } from '../go-words.ts';
import type { Observation } from '../types.ts';
import { asWarning, type Check, type CheckContext, flagOf, observation, quote, seen, spokenOf, type Words, works } from './check.ts';
import { nameOf } from './served.ts';

/** Who kube-apiserver is to the server: what it publishes about itself, and whether the server can read and believe it. */
export const checkIdentity: Check = (context) => {
  if (!context.api.service) return [];
  return [...checkPublished(context), ...checkReader(context), ...checkClientName(context), ...checkClientCertificate(context)];
};

const harmless = (context: CheckContext, observed: Observation): Observation => (works(context) ? asWarning(observed) : observed);

/** ConfigMap kube-system/extension-apiserver-authentication (k8s.io/kubernetes/pkg/controlplane/controller/clusterauthenticationtrust). */
function checkPublished(context: CheckContext): readonly Observation[] {
  const { requestHeader } = context.snapshot;
  const missing = (line: string) => [harmless(context, observation('auth/requestheader-missing', [line]))];
  if (requestHeader.state === 'absent') return missing('the ConfigMap does not exist');
  const view = seen(requestHeader);
  if (!view) return [];
  return view.clientCa.length === 0
    ? missing('requestheader-client-ca-file is missing or holds no certificate')
    : checkFrontProxyCa(context, view);
}

/** Of several CAs, as in a rotation, one that is valid is enough. */
function checkFrontProxyCa(context: CheckContext, { clientCa }: RequestHeaderView): readonly Observation[] {
  const { now, expiresWithinMs } = context;
  const [last] = clientCa.toSorted((one, other) => Date.parse(other.notAfter) - Date.parse(one.notAfter));
  const left = last ? Date.parse(last.notAfter) - now.getTime() : Infinity;
  if (!last || left >= expiresWithinMs) return [];
  const evidence = [`${nameOf(last)}: valid until ${last.notAfter}, SHA-256 ${last.fingerprint}`];
  const args = { subject: nameOf(last), date: last.notAfter.slice(0, 10) };
  if (left >= 0) return [observation('auth/front-proxy-ca-expires-soon', evidence, args)];
  return [harmless(context, observation('auth/front-proxy-ca-expired', evidence, args))];
}

/** Flags by which a server made with k8s.io/apiserver is known; others need not read the ConfigMap (its pkg/server/options). */
const genericFlags = /^--?(?:secure-port|tls-cert-file|cert-dir|authentication-|authorization-|requestheader-)/;

const flagsOf = ({ snapshot }: CheckContext): readonly string[] => seen(snapshot.server)?.flags ?? [];
const isGeneric = (context: CheckContext): boolean => flagsOf(context).some((flag) => genericFlags.test(flag));
const isSwitchedOn = (context: CheckContext, name: string): boolean =>
  flagsOf(context).some((flag) => flag === `--${name}` || flag === `--${name}=true`);

function checkReader(context: CheckContext): readonly Observation[] {
  const delegation = seen(context.snapshot.delegation);
  if (!delegation || delegation.mayReadAuthentication) return [];
  const { account } = delegation;
  if (!readsAuthentication(context) && !triedToRead(context, account)) return [];
  const evidence = [`${account} may not get ConfigMap kube-system/extension-apiserver-authentication`];
  return [harmless(context, observation('auth/reader-missing', evidence, { account, serviceAccount: shortAccount(account) }))];
}

/**
 * Whether the server reads the ConfigMap with its ServiceAccount. With a CA of its own for the front proxy it does without what else is there: that client-ca-file
 * can not be read is a line in its log (k8s.io/apiserver/pkg/server/options/authentication.go, DelegatingAuthenticationOptions.ApplyTo).
 */
const readsAuthentication = (context: CheckContext): boolean =>
  isGeneric(context) &&
  !isSwitchedOn(context, 'authentication-skip-lookup') &&
  !flagOf(context, 'authentication-kubeconfig') &&
  !flagOf(context, 'requestheader-client-ca-file');

/** Whether a pod that crashes says so itself, whatever is known of its flags. */
const triedToRead = ({ snapshot, now }: CheckContext, account: string): boolean =>
  (seen(snapshot.pods) ?? [])
    .flatMap((pod) => problemOf(pod, now)?.said ?? [])
    .some((line) => crashCauses['auth/reader-missing'].test(line) && line.includes(account));

const shortAccount = (account: string): string => account.replace(/^system:serviceaccount:/, '');

/** The names that a server of its own accord accepts, or what it says of the one that it got. */
function checkClientName(context: CheckContext): readonly Observation[] {
  if (works(context)) return [];
  const spoken = spokenOf(context, 'client-name');
  const logs = (seen(context.snapshot.pods) ?? []).flatMap(({ lastLogLine }) => seen(lastLogLine) ?? []);
  const logged = logs.filter((line) => /is not in the allowed list/.test(line));
  const own = flagOf(context, 'requestheader-allowed-names')?.split(',').filter(Boolean) ?? [];
  const published = seen(context.snapshot.requestHeader)?.allowedNames ?? [];
  const disjoint = own.length > 0 && published.length > 0 && !published.some((name) => own.includes(name));
  const evidence = [
    ...(spoken ? [quote(spoken)] : []),
    ...logged.map((line) => `log: ${line}`),
    ...(disjoint ? [`--requestheader-allowed-names of the server: ${own.join(', ')}`, `of kube-apiserver: ${published.join(', ')}`] : []),
  ];
  return evidence.length > 0 ? [observation('auth/client-name-not-allowed', evidence)] : [];
}

function checkClientCertificate(context: CheckContext): readonly Observation[] {
  const { anonymous } = context.snapshot;
  const demand = anonymous.state === 'unseen' && certificateRequired.test(anonymous.words) ? anonymous.words : undefined;
  // The alert may be lost on a connection that the server closes at the same moment (RFC 9112 9.6 says why).
  const spoken = spokenOf(context, 'client-certificate') ?? (demand === undefined ? undefined : spokenOf(context, 'lost'));
  if (!spoken) return [];
  const here = demand === undefined ? [] : [`a request without client certificate straight at an endpoint: ${demand}`];
  return [observation('auth/proxy-certificate-refused', [quote(spoken), ...here])];
}

/**
 * Whether the server may ask who is allowed what. kube-apiserver's own probe and administrators are of system:masters, whom no server asks about
 * (k8s.io/apiserver/pkg/server/options/authorization.go, AlwaysAllowGroups), so that the API answers them all the same. That it asks, and in vain, only
 * its own words prove.
 */
export const checkDelegation: Check = (context) => {
  const delegation = seen(context.snapshot.delegation);
  const spoken = spokenOf(context, 'delegator-missing');
  const words = [...(spoken ? [spoken] : []), ...strangersMet(context)];
  const denied = delegation?.mayReview === false;
  if (words.length === 0 && !(denied && mayAsk(context))) return [];
  const named =
    words.flatMap(({ text }) => /system:serviceaccount:[a-z0-9.-]+:[a-z0-9.-]+/.exec(text)?.[0] ?? [])[0] ?? delegation?.account;
  const evidence = [...words.map(quote), ...(denied ? [`${delegation.account} may not create tokenreviews and subjectaccessreviews`] : [])];
  const serviceAccount = named ? shortAccount(named) : `${context.api.service?.namespace}:<service account>`;
  const observed = observation('auth/delegator-missing', evidence, { serviceAccount });
  return [words.length > 0 ? observed : asWarning(observed)];
};

/** What the server said straight to a stranger, where it speaks of the right to ask. */
function strangersMet({ snapshot }: CheckContext): readonly Words[] {
  const answers = [seen(snapshot.anonymous), seen(snapshot.forged)].filter((answer) => answer !== undefined);
  const told = answers.find(({ status, body }) => status >= 400 && readGoWords(body, delegatorMissing) !== undefined);
  if (!told) return [];
  return [{ source: `GET ${told.path} straight at an endpoint: ${told.status}`, text: told.body, fault: 'delegator-missing' }];
}

const delegatorMissing: ReadonlySet<GoFault> = new Set(['delegator-missing']);

/** Whether it is to be expected that the server asks with its ServiceAccount. One that decided about a stranger had no need to, or was answered. */
const mayAsk = (context: CheckContext): boolean =>
  isGeneric(context) &&
  !flagOf(context, 'authentication-kubeconfig') &&
  !flagOf(context, 'authorization-kubeconfig') &&
  ![200, 403].includes(seen(context.snapshot.anonymous)?.status ?? 0);

/** What an ordinary user meets, where somebody asked for it. */
export const checkUser: Check = (context) => {
  const answer = seen(context.snapshot.asUser);
  if (!answer || answer.status < 400) return [];
  const { user, path, status, body, allowed } = answer;
  const evidence = [`GET ${path} as ${user}: ${status}`, ...(body ? [`body: ${body}`] : [])];
  if (status === 403 && allowed === false) return [observation('auth/user-not-allowed', evidence, { user, path })];
  // Where nobody gets an answer, or the reason is known, the user is no matter of its own.
  if (!works(context) || spokenOf(context, 'delegator-missing')) return [];
  // Either may have refused: see `notCheckedOf`.
  if (isUnexplained(answer)) return [];
  if (status === 401 || status === 403) return [observation('auth/refused-by-server', evidence, { status: String(status) })];
  return [observation('discovery/request-failed', evidence, { status: String(status) })];
};

/** Whether kube-apiserver may have refused the user itself: what RBAC allows was not to be seen. */
export const isUnexplained = ({ status, allowed }: AsUserView): boolean => status === 403 && allowed === undefined;
