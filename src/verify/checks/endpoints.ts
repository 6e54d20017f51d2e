import type { DialFault } from '../../cluster/handshake.ts';
import type { Code } from '../catalog.ts';
import type { GoFault } from '../go-words.ts';
import { hasEnded } from '../pod-trouble.ts';
import type { EndpointProbe, Observation } from '../types.ts';
import { type Check, type CheckContext, observation, quote, seen } from './check.ts';

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
  'not-tls': 'endpoints/not-tls',
  timeout: 'network/timeout',
  'no-route': 'network/no-route',
  reset: 'endpoints/handshake-failed',
  other: 'endpoints/handshake-failed',
} as const satisfies Record<Exclude<DialFault, 'no-forward'>, Code>;

/** Faults of the way to the server, as kube-apiserver speaks of them. */
export const transportWords: Partial<Record<GoFault, keyof typeof dialCodes>> = {
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

interface FailedProbe extends Pick<EndpointProbe, 'at' | 'pod' | 'via'> {
  readonly fault: DialFault;
  readonly words: string;
}

const failuresOf = ({ snapshot }: CheckContext): readonly FailedProbe[] =>
  (seen(snapshot.probes) ?? []).flatMap(({ at, pod, via, handshake }) =>
    handshake.kind === 'failed' ? [{ at, pod, via, fault: handshake.fault, words: handshake.words }] : [],
  );

/** A failure that says something about the server. */
type Failure = FailedProbe & { readonly fault: keyof typeof dialCodes };

/** The endpoints that did not complete a handshake, where that says something about the server and not only about where apisvc runs. */
export const failedProbes = (context: CheckContext): readonly Failure[] =>
  failuresOf(context).filter((probe): probe is Failure => isEvidence(context, probe));

/** The endpoints of which nothing is known, since they can't be reached from where apisvc runs. */
export const unreachedProbes = (context: CheckContext): readonly FailedProbe[] =>
  failuresOf(context).filter((probe) => !isEvidence(context, probe));

/**
 * What happens inside the pod is the same from everywhere, and fresher than a condition. But a server that listens on the address of its pod alone refuses
 * a port-forward, which goes to localhost: where no endpoint answered and kube-apiserver still gets an answer, ours is the wrong way.
 */
function isEvidence(context: CheckContext, probe: FailedProbe): boolean {
  const { snapshot, words } = context;
  const spoken = words.flatMap((each): DialFault[] => (each.fault ? [transportWords[each.fault] ?? 'other'] : []));
  const served = seen(snapshot.probes)?.some(({ handshake }) => handshake.kind === 'served') ?? false;
  if (probe.fault === 'no-forward') return false;
  if (probe.via === 'address') return isEvidenceFromHere(context, probe, { spoken, served });
  return served || (seen(snapshot.aggregated)?.status !== 200 && !spoken.includes('other'));
}

interface Said {
  /** What kube-apiserver says of its own connections. */
  readonly spoken: readonly DialFault[];
  /** Whether any endpoint showed a certificate. */
  readonly served: boolean;
}

/**
 * From outside, pod addresses often lead nowhere, or one family of addresses does. So packets that are lost here count only when kube-apiserver has the same
 * trouble. An answer, if only a refusal, counts when another endpoint of the Service answered, when kube-apiserver has trouble on the way too, when the
 * API does not work and kube-apiserver gives no reason at all, or when it does not work and the address is no pod's: that is the same from everywhere, and
 * fresher than a condition.
 */
function isEvidenceFromHere({ snapshot }: CheckContext, { fault, pod }: FailedProbe, { spoken, served }: Said): boolean {
  const broken = (seen(snapshot.aggregated)?.status ?? 0) >= 500;
  const silentlyBroken = spoken.length === 0 && broken;
  if (fault === 'timeout' || fault === 'no-route') return spoken.includes(fault) || silentlyBroken;
  return served || silentlyBroken || spoken.some((each) => each !== 'other') || (broken && pod === undefined);
}
