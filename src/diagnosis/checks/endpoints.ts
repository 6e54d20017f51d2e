import type { DialFault } from '../../cluster/handshake.ts';
import type { ApiServerSays, Evidence } from '../../snapshot/endpoint-evidence.ts';
import { hasEnded } from '../../snapshot/pod-problem.ts';
import type { ApiSnapshot, EndpointProbe } from '../../snapshot/types.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-errors.ts';
import type { Observation } from '../types.ts';
import { type ApiServerMessage, type Check, type CheckContext, observation, quote, seen } from './check.ts';
import { explainLostConnection, networkCodes } from './network.ts';

/**
 * The endpoints of the Service: addresses, readiness, port names (as the availability controller of
 * kube-aggregator checks them).
 */
export const checkEndpoints: Check = ({ snapshot, api }) => {
  const service = seen(snapshot.service);
  const endpoints = seen(snapshot.endpoints);
  if (!service || !endpoints || service.type === 'ExternalName') return [];
  if (endpoints.length === 0) {
    const ended = (seen(snapshot.pods) ?? []).filter(hasEnded).map(({ name, phase }) => `pod ${name}: ${phase}`);
    return [observation('endpoints/none', [`selector of the Service: ${JSON.stringify(service.selector)}`, ...ended])];
  }
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  if (ready.length === 0) {
    return [
      observation(
        'endpoints/not-ready',
        endpoints.map(({ address, pod }) => `${address}${pod ? ` (pod ${pod})` : ''}: not ready`),
      ),
    ];
  }
  const port = service.ports.find((each) => each.port === api.service?.port);
  if (!port || ready.some((endpoint) => endpoint.ports.some(({ name }) => name === port.name))) return [];
  const names = new Set(ready.flatMap((endpoint) => endpoint.ports.map(({ name }) => JSON.stringify(name))));
  return [
    observation('endpoints/port-name-mismatch', [`port names of the endpoints: ${[...names].join(', ') || 'none'}`], {
      portName: port.name,
    }),
  ];
};

const dialCodes = {
  refused: 'endpoints/connection-refused',
  'localhost-refused': 'endpoints/connection-refused',
  'not-tls': 'endpoints/not-tls',
  timeout: 'network/timeout',
  'tls-timeout': 'endpoints/handshake-timeout',
  'no-route': 'network/no-route',
  reset: 'endpoints/handshake-failed',
  other: 'endpoints/handshake-failed',
} as const satisfies Record<Exclude<DialFault, 'no-forward'>, Code>;

/** The faults of connections in messages of kube-apiserver. */
const transportFaults: Partial<Record<GoFault, keyof typeof dialCodes>> = {
  refused: 'refused',
  'not-tls': 'not-tls',
  timeout: 'timeout',
  'no-route': 'no-route',
  'tls-version': 'other',
};

/**
 * The errors of OpenSSL when both sides support no common TLS version. kube-apiserver supports the
 * same versions.
 */
const oldTls = /unsupported protocol|protocol version|no protocols available/i;

/** The connection to each endpoint: what failed from here, and what kube-apiserver reports. */
export const checkTransport: Check = (context) => {
  const message = context.messages.find(({ fault }) => fault && transportFaults[fault]);
  const reportedFault = message?.fault && transportFaults[message.fault];
  const failed = failedProbes(context);
  const other = message && failed.length === 0 ? explainLostConnection(context, message) : undefined;
  if (other || (message && isOutdated(context, message))) return other ? [other] : [];
  const reportedCode = reportedFault && dialCodes[reportedFault];
  const codes = new Set([...failed.map(({ fault }) => dialCodes[fault]), ...(reportedCode ? [reportedCode] : [])]);
  return [...codes].flatMap((code): Observation[] => {
    const here = failed.filter(({ fault }) => dialCodes[fault] === code);
    if (here.length === 0 && failed.length > 0) return [];
    const evidence = [...here.map(({ at, words }) => `${at}: ${words}`), ...(message && reportedCode === code ? [quote(message)] : [])];
    const endpoints = here.map(({ at }) => at).join(', ') || 'the endpoints of the Service';
    const tooOld = here.some(({ words }) => oldTls.test(words)) || (reportedCode === code && message?.fault === 'tls-version');
    return [observation(tooOld ? 'endpoints/tls-too-old' : code, evidence, { endpoints })];
  });
};

/**
 * Whether a message of kube-apiserver is out of date: it checks every 30 seconds, and the probes
 * are newer. A refused connection and a server without TLS do not depend on the route. Other faults
 * may be on a route that only kube-apiserver uses.
 */
const isOutdated = ({ probes }: CheckContext, { fault }: ApiServerMessage): boolean =>
  (fault === 'refused' || fault === 'not-tls') && probes.length > 0 && probes.every(({ evidence }) => evidence === 'good');

interface FailedProbe extends Pick<EndpointProbe, 'at' | 'pod' | 'via'> {
  readonly fault: DialFault;
  readonly words: string;
  readonly evidence: Evidence;
}

const failuresOf = ({ probes }: CheckContext): readonly FailedProbe[] =>
  probes.flatMap(({ at, pod, via, handshake, evidence }) =>
    handshake.kind === 'failed' ? [{ at, pod, via, fault: handshake.fault, words: handshake.words, evidence }] : [],
  );

/** A failure that proves a fault of the server. */
type Failure = FailedProbe & { readonly fault: keyof typeof dialCodes };

/**
 * The endpoints whose TLS handshake failed because of the server, and not because of where apisvc
 * runs.
 */
export const failedProbes = (context: CheckContext): readonly Failure[] =>
  failuresOf(context).filter((probe): probe is Failure => probe.evidence !== 'unknown');

/** The endpoints that are not reachable from where apisvc runs. Nothing is known about them. */
export const unreachedProbes = (context: CheckContext): readonly FailedProbe[] =>
  failuresOf(context).filter(({ evidence }) => evidence === 'unknown');

/** What kube-apiserver reports about the endpoints, to judge the probes with. */
export function apiServerSays({ aggregated }: ApiSnapshot, messages: readonly ApiServerMessage[]): ApiServerSays {
  const unanswered = aggregated.state === 'unseen' && aggregated.fault?.kind === 'none';
  const status = unanswered ? 504 : (seen(aggregated)?.status ?? 0);
  const faults = messages.flatMap(({ fault }) => (fault ? [connectionFault(fault)] : []));
  return { api: status === 200 ? 'works' : status >= 500 ? 'fails' : 'unknown', faults };
}

/**
 * A fault of the network stops kube-apiserver before it reaches an endpoint, as a failed
 * port-forward does here.
 */
const connectionFault = (fault: GoFault): DialFault => transportFaults[fault] ?? (networkCodes[fault] ? 'no-forward' : 'other');
