import type { DialFault } from '../../cluster/handshake.ts';
import type { ApiServerSays, Evidence } from '../../snapshot/endpoint-evidence.ts';
import { hasEnded } from '../../snapshot/pod-problem.ts';
import type { ApiSnapshot, EndpointProbe } from '../../snapshot/types.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-words.ts';
import type { Observation } from '../types.ts';
import { type Check, type CheckContext, observation, quote, seen, type Words } from './check.ts';
import { elsewhere, networkWords } from './network.ts';

/** Whether the Service leads to anything: addresses, readiness, port names (kube-aggregator's availability checks 5 and 6). */
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
  'no-route': 'network/no-route',
  reset: 'endpoints/handshake-failed',
  other: 'endpoints/handshake-failed',
} as const satisfies Record<Exclude<DialFault, 'no-forward'>, Code>;

/** Faults of the way to the server, as kube-apiserver speaks of them. */
const transportWords: Partial<Record<GoFault, keyof typeof dialCodes>> = {
  refused: 'refused',
  'not-tls': 'not-tls',
  timeout: 'timeout',
  'no-route': 'no-route',
  'tls-version': 'other',
};

/** How OpenSSL says that there is no version of TLS that both sides speak; kube-apiserver speaks no older ones than we do. */
const oldTls = /unsupported protocol|protocol version|no protocols available/i;

/** The way to each endpoint: what failed here, and what kube-apiserver says failed there. */
export const checkTransport: Check = (context) => {
  const spoken = context.words.find(({ fault }) => fault && transportWords[fault]);
  const spokenFault = spoken?.fault && transportWords[spoken.fault];
  const failed = failedProbes(context);
  const other = spoken && failed.length === 0 ? elsewhere(context, spoken) : undefined;
  if (other || (spoken && isOutdated(context, spoken))) return other ? [other] : [];
  const spokenCode = spokenFault && dialCodes[spokenFault];
  const codes = new Set([...failed.map(({ fault }) => dialCodes[fault]), ...(spokenCode ? [spokenCode] : [])]);
  return [...codes].flatMap((code): Observation[] => {
    const here = failed.filter(({ fault }) => dialCodes[fault] === code);
    if (here.length === 0 && failed.length > 0) return [];
    const evidence = [...here.map(({ at, words }) => `${at}: ${words}`), ...(spoken && spokenCode === code ? [quote(spoken)] : [])];
    const endpoints = here.map(({ at }) => at).join(', ') || 'the endpoints of the Service';
    const tooOld = here.some(({ words }) => oldTls.test(words)) || (spokenCode === code && spoken?.fault === 'tls-version');
    return [observation(tooOld ? 'endpoints/tls-too-old' : code, evidence, { endpoints })];
  });
};

/**
 * Whether what kube-apiserver says of the server is no longer so: it looks every 30 seconds, we have just now. That nothing listens, or no TLS is spoken, depends on the
 * server alone; other faults may lie on a way that only kube-apiserver goes.
 */
const isOutdated = ({ probes }: CheckContext, { fault }: Words): boolean =>
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

/** A failure that says something about the server. */
type Failure = FailedProbe & { readonly fault: keyof typeof dialCodes };

/** The endpoints that did not complete a handshake, where that says something about the server and not only about where apisvc runs. */
export const failedProbes = (context: CheckContext): readonly Failure[] =>
  failuresOf(context).filter((probe): probe is Failure => probe.evidence !== 'unknown');

/** The endpoints of which nothing is known, since they can't be reached from where apisvc runs. */
export const unreachedProbes = (context: CheckContext): readonly FailedProbe[] =>
  failuresOf(context).filter(({ evidence }) => evidence === 'unknown');

/** What kube-apiserver says of the endpoints, as far as it helps to judge what was seen from here. */
export function apiServerSays({ aggregated }: ApiSnapshot, words: readonly Words[]): ApiServerSays {
  const status = seen(aggregated)?.status ?? 0;
  const faults = words.flatMap(({ fault }) => (fault ? [connectionFault(fault)] : []));
  return { api: status === 200 ? 'works' : status >= 500 ? 'fails' : 'unknown', faults };
}

/** Where the network ends its connections, kube-apiserver gets no further than somebody to whom nothing is forwarded. */
const connectionFault = (fault: GoFault): DialFault => transportWords[fault] ?? (networkWords[fault] ? 'no-forward' : 'other');
