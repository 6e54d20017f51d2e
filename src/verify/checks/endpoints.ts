import type { DialFault } from '../../cluster/handshake.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-words.ts';
import type { EndpointProbe, Observation } from '../types.ts';
import { type Check, type CheckContext, observation, quote, seen } from './check.ts';

/** Whether the Service leads to anything: addresses, readiness, port names (kube-aggregator's availability checks 5 and 6). */
export const checkEndpoints: Check = ({ snapshot, api }) => {
  const service = seen(snapshot.service);
  const endpoints = seen(snapshot.endpoints);
  if (!service || !endpoints || service.type === 'ExternalName') return [];
  if (endpoints.length === 0) return [observation('endpoints/none', [`selector of the Service: ${JSON.stringify(service.selector)}`])];
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
  'not-tls': 'endpoints/not-tls',
  timeout: 'network/timeout',
  'no-route': 'network/no-route',
  reset: 'endpoints/handshake-failed',
  other: 'endpoints/handshake-failed',
} as const satisfies Record<DialFault, Code>;

const transportWords: Partial<Record<GoFault, DialFault>> = {
  refused: 'refused',
  'not-tls': 'not-tls',
  timeout: 'timeout',
  'no-route': 'no-route',
};

/** The way to each endpoint: what failed here, and what kube-apiserver says failed there. */
export const checkTransport: Check = (context) => {
  const spoken = context.words.find(({ fault }) => fault && transportWords[fault]);
  const spokenFault = spoken?.fault && transportWords[spoken.fault];
  const failed = failedProbes(context);
  const faults = new Set([...failed.map(({ fault }) => fault), ...(spokenFault ? [spokenFault] : [])]);
  return [...faults].flatMap((fault): Observation[] => {
    const here = failed.filter((each) => each.fault === fault);
    if (here.length === 0 && failed.length > 0) return [];
    const evidence = [...here.map(({ at, words }) => `${at}: ${words}`), ...(spoken && spokenFault === fault ? [quote(spoken)] : [])];
    const endpoints = here.map(({ at }) => at).join(', ') || 'the endpoints of the Service';
    return [observation(dialCodes[fault], evidence, { endpoints })];
  });
};

interface FailedProbe {
  readonly at: string;
  readonly fault: DialFault;
  readonly words: string;
}

/** The endpoints that did not complete a handshake, where that says something about the server and not only about where apisvc runs. */
function failedProbes(context: CheckContext): readonly FailedProbe[] {
  const probes = seen(context.snapshot.probes) ?? [];
  if (!reachableFromHere(context, probes)) return [];
  return probes.flatMap(({ at, handshake }) =>
    handshake.kind === 'failed' ? [{ at, fault: handshake.fault, words: handshake.words }] : [],
  );
}

/**
 * From outside, pod addresses often lead nowhere. A failed dial counts when another endpoint of the same Service answered, when kube-apiserver
 * itself reports trouble with the way there, or when the API does not work and kube-apiserver gives no reason at all.
 */
export function reachableFromHere({ snapshot, words }: CheckContext, probes: readonly EndpointProbe[]): boolean {
  if (probes.some(({ handshake }) => handshake.kind === 'served')) return true;
  const faults = words.flatMap(({ fault }) => fault ?? []);
  if (faults.length > 0) return faults.some((fault) => transportWords[fault] !== undefined);
  const answer = seen(snapshot.aggregated);
  return answer !== undefined && answer.status >= 500;
}
