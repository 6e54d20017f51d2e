import { dialTargets } from '../snapshot/targets.ts';
import type { ApiServiceView, ApiSnapshot, AvailableCondition, HttpView } from '../snapshot/types.ts';
import type { ApiServerMessage } from './checks/check.ts';
import { seen } from './checks/check.ts';
import { type GoFault, parseGoError } from './go-errors.ts';

/**
 * The errors that kube-apiserver reports about the server, the newest first. The service proxy uses
 * the same route to the pods, and its answer has the error that the aggregator writes only into the
 * condition.
 */
export function apiServerMessages(snapshot: ApiSnapshot, api: ApiServiceView, now: Date): readonly ApiServerMessage[] {
  const { aggregated, list, asUser, listAsUser, serviceProxy } = snapshot;
  const { available } = api;
  const user = seen(asUser);
  const answer = seen(aggregated);
  const proxyErrors = answer?.status !== 200 ? errorOf(seen(serviceProxy), ' through the service proxy').filter(({ fault }) => fault) : [];
  const messages = [
    ...errorOf(answer, ''),
    ...errorOf(user, ` as ${user?.user}`),
    ...errorOf(seen(list), '').filter(isIdentityFault),
    ...errorOf(seen(listAsUser), ` as ${seen(listAsUser)?.user}`).filter(isIdentityFault),
    ...(available && available.status !== 'True' && answer?.status !== 200 && !isBeforeReadiness(available, snapshot, now)
      ? [messageFrom(`Available=${available.status} (${available.reason})`, available.message)]
      : []),
    ...proxyErrors,
  ];
  return hasNoTarget(snapshot, api) ? messages.filter(({ fault }) => fault === undefined || !connectionFaults.has(fault)) : messages;
}

/** kube-apiserver checks every 30 seconds, and a check takes up to 5 seconds. */
const checkIntervalMs = 35_000;

/**
 * Whether a pod became ready after kube-apiserver set the condition, and so recently that
 * kube-apiserver may not have checked again. The message is then about the time before. The
 * condition has no time for its message: lastTransitionTime is that of the status
 * (k8s.io/kube-aggregator/pkg/apis/apiregistration/v1/helper, SetAPIServiceCondition).
 */
function isBeforeReadiness({ lastTransitionTime }: AvailableCondition, { pods }: ApiSnapshot, now: Date): boolean {
  const readySince = Math.max(...(seen(pods) ?? []).map((pod) => Date.parse(pod.readySince ?? '')).filter((time) => !Number.isNaN(time)));
  return Date.parse(lastTransitionTime) <= readySince && now.getTime() - readySince < checkIntervalMs;
}

const messageFrom = (source: string, text: string): ApiServerMessage => ({ source, text, fault: parseGoError(text) });

/**
 * The message of an error response. kube-apiserver forwards responses of the server unchanged.
 * There, the same Go errors may be about the backends of the server. Only errors about
 * authentication are then used.
 */
function errorOf(answer: HttpView | undefined, suffix: string): readonly ApiServerMessage[] {
  if (!answer || answer.status < 400) return [];
  const { path, status, body } = answer;
  const text = messageOf(body);
  return [
    {
      source: `GET ${path}${suffix}: ${status}`,
      text: body,
      fault: ownMessage.test(text) ? parseGoError(text) : parseGoError(text, identityFaults),
    },
  ];
}

/**
 * The start of messages of kube-apiserver itself
 * (k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go;
 * k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go).
 */
const ownMessage = /^(?:error trying to reach service: |service unavailable$|.{0,200}unable to load root certificates)/;

/**
 * The message of a metav1.Status, as the service proxy returns it. Other bodies are returned
 * unchanged.
 */
function messageOf(body: string): string {
  try {
    const { kind, message } = JSON.parse(body);
    return kind === 'Status' ? String(message) : body;
  } catch {
    return body;
  }
}

/** Faults that a server reports about kube-apiserver or its own permissions. */
const identityFaults: ReadonlySet<GoFault> = new Set(['delegator-missing', 'client-name', 'not-authenticated']);

const isIdentityFault = ({ fault }: ApiServerMessage): boolean => fault !== undefined && identityFaults.has(fault);

/** Faults of a connection to a server. */
const connectionFaults: ReadonlySet<GoFault> = new Set([
  'weak-signature',
  'not-a-ca',
  'unknown-authority',
  'name-mismatch',
  'common-name-only',
  'expired',
  'usage',
  'name-constraints',
  'path-length',
  'client-certificate',
  'tls-version',
  'not-tls',
  'refused',
  'no-route',
  'timeout',
  'lost',
]);

/**
 * Whether the Service has no address to connect to. Messages about connections are then out of
 * date.
 */
function hasNoTarget({ service, endpoints }: ApiSnapshot, { service: target }: ApiServiceView): boolean {
  if (service.state === 'absent') return true;
  const [view, known] = [seen(service), seen(endpoints)];
  if (!view || !known || !target || view.type === 'ExternalName') return false;
  return dialTargets(view, known, target.port).length === 0;
}
