import type { Observation, RequestHeaderView } from '../types.ts';
import { asWarning, type Check, type CheckContext, flagOf, observation, quote, seen, spokenOf, works } from './check.ts';
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

function checkReader(context: CheckContext): readonly Observation[] {
  const delegation = seen(context.snapshot.delegation);
  if (!delegation || delegation.mayReadAuthentication) return [];
  const given = flagOf(context, 'requestheader-client-ca-file') !== undefined;
  const generic = (seen(context.snapshot.server)?.flags ?? []).some((flag) => genericFlags.test(flag));
  if (works(context) && (given || !generic)) return [];
  const { account } = delegation;
  const evidence = [`${account} may not get ConfigMap kube-system/extension-apiserver-authentication`];
  return [harmless(context, observation('auth/reader-missing', evidence, { account, serviceAccount: shortAccount(account) }))];
}

const shortAccount = (account: string): string => account.replace(/^system:serviceaccount:/, '');

/** The alert of a server that ends the handshake with whoever shows no certificate (RFC 8446 6.2, certificate_required). */
export const certificateRequired = /alert certificate required/;

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
 * (k8s.io/apiserver/pkg/server/options/authorization.go, AlwaysAllowGroups), so that the API answers them all the same.
 */
export const checkDelegation: Check = (context) => {
  const delegation = seen(context.snapshot.delegation);
  const spoken = spokenOf(context, 'delegator-missing');
  // A server that answers anybody does not ask.
  const asks = seen(context.snapshot.anonymous)?.status !== 200;
  const denied = context.api.service !== undefined && delegation?.mayReview === false && asks;
  if (!spoken && !denied) return [];
  const named = /system:serviceaccount:[^\s":]+:[^\s":]+/.exec(spoken?.text ?? '')?.[0] ?? delegation?.account;
  const evidence = [
    ...(spoken ? [quote(spoken)] : []),
    ...(denied ? [`${delegation?.account} may not create tokenreviews and subjectaccessreviews`] : []),
  ];
  const serviceAccount = named ? shortAccount(named) : `${context.api.service?.namespace}:<service account>`;
  return [observation('auth/delegator-missing', evidence, { serviceAccount })];
};

/** What an ordinary user meets, where somebody asked for it. */
export const checkUser: Check = (context) => {
  const answer = seen(context.snapshot.asUser);
  if (!answer || answer.status < 400) return [];
  const { user, path, status, body, allowed } = answer;
  const evidence = [`GET ${path} as ${user}: ${status}`, ...(body ? [`body: ${body}`] : [])];
  if (status === 403 && allowed === false) return [observation('auth/user-not-allowed', evidence, { user, path })];
  // Where nobody gets an answer, or the reason is known, the user is no matter of its own.
  if (!works(context) || spokenOf(context, 'delegator-missing')) return [];
  if (status === 401 || status === 403) return [observation('auth/refused-by-server', evidence)];
  return [observation('discovery/request-failed', evidence, { status: String(status) })];
};
