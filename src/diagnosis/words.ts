import { dialTargets } from '../snapshot/targets.ts';
import type { ApiServiceView, ApiSnapshot, HttpView } from '../snapshot/types.ts';
import type { Words } from './checks/check.ts';
import { seen } from './checks/check.ts';
import { type GoFault, readGoWords } from './go-words.ts';

/**
 * What kube-apiserver says about the backend, freshest first. A condition that is True says nothing: its message is only "all checks passed". The service proxy goes the
 * same way to the pods, and says what the aggregator only writes into the condition.
 */
export function wordsOf(snapshot: ApiSnapshot, api: ApiServiceView): readonly Words[] {
  const { aggregated, asUser, serviceProxy } = snapshot;
  const { available } = api;
  const user = seen(asUser);
  const answer = seen(aggregated);
  const unreached = answer?.status !== 200 ? answered(seen(serviceProxy), ' through the service proxy').filter(({ fault }) => fault) : [];
  const words = [
    ...answered(answer, ''),
    ...answered(user, ` as ${user?.user}`),
    ...(available && available.status !== 'True' && answer?.status !== 200
      ? [said(`Available=${available.status} (${available.reason})`, available.message)]
      : []),
    ...unreached,
  ];
  return leadsNowhere(snapshot, api) ? words.filter(({ fault }) => fault === undefined || !ofConnections.has(fault)) : words;
}

const said = (source: string, text: string): Words => ({ source, text, fault: readGoWords(text) });

/**
 * An answer that is an error. kube-apiserver passes on what the server says as it is: there the same words of Go speak of the server's own troubles, of its store or of
 * its way to kube-apiserver, and only some are about what stands between the two.
 */
function answered(answer: HttpView | undefined, who: string): readonly Words[] {
  if (!answer || answer.status < 400) return [];
  const { path, status, body } = answer;
  const text = messageOf(body);
  return [
    { source: `GET ${path}${who}: ${status}`, text: body, fault: own.test(text) ? readGoWords(text) : readGoWords(text, ofIdentity) },
  ];
}

/** How kube-apiserver itself begins (k8s.io/apimachinery/pkg/util/proxy/upgradeaware.go; k8s.io/kube-aggregator/pkg/apiserver/handler_proxy.go). */
const own = /^(?:error trying to reach service: |service unavailable$|.{0,200}unable to load root certificates)/;

/** Of a metav1.Status, which the service proxy answers with, the message. */
function messageOf(body: string): string {
  try {
    const { kind, message } = JSON.parse(body);
    return kind === 'Status' ? String(message) : body;
  } catch {
    return body;
  }
}

/** What a server says of kube-apiserver, and not of itself. */
const ofIdentity: ReadonlySet<GoFault> = new Set(['delegator-missing', 'client-name', 'not-authenticated']);

/** Faults that take a server to connect to. */
const ofConnections: ReadonlySet<GoFault> = new Set([
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

/** Whether there is nothing to connect to, as was seen; what a condition says of connections is then older than that. */
function leadsNowhere({ service, endpoints }: ApiSnapshot, { service: target }: ApiServiceView): boolean {
  if (service.state === 'absent') return true;
  const [view, known] = [seen(service), seen(endpoints)];
  if (!view || !known || !target || view.type === 'ExternalName') return false;
  return dialTargets(view, known, target.port).length === 0;
}
