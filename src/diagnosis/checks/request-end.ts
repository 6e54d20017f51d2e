import { type GoFault, parseGoError } from '../go-errors.ts';
import { type CheckContext, proxyAnswered, seen } from './check.ts';

const timeout: ReadonlySet<GoFault> = new Set(['timeout']);

const unanswered = (observed: CheckContext['snapshot']['anonymous']): boolean =>
  observed.state === 'unseen' && observed.reason === 'unreachable';

/**
 * Where requests of kube-apiserver end that get no answer. A request from here that gets no answer
 * either ends at the server, and so does one that the service proxy answers, because it takes the
 * same network. If an endpoint answers here and the service proxy gets no answer, the network
 * drops the requests of kube-apiserver.
 */
export function whereRequestsEnd({ snapshot, probes }: CheckContext): 'server' | 'network' | 'unknown' {
  const { anonymous, serviceProxy } = snapshot;
  const direct = seen(anonymous);
  const reached = probes.some(({ handshake }) => handshake.kind === 'served');
  if (direct?.slowMs !== undefined || (unanswered(anonymous) && reached) || proxyAnswered(snapshot)) return 'server';
  const proxied = seen(serviceProxy);
  const dropped = proxied ? proxied.status === 503 && parseGoError(proxied.body, timeout) !== undefined : unanswered(serviceProxy);
  return direct && dropped ? 'network' : 'unknown';
}

/** What other requests to the server show, as lines of evidence. */
export function observedEnd({ snapshot }: CheckContext): readonly string[] {
  const { anonymous, serviceProxy } = snapshot;
  const here = seen(anonymous);
  const proxied = seen(serviceProxy);
  return [
    ...(here
      ? [`request directly to an endpoint: ${here.slowMs === undefined ? here.status : `${here.status} after ${seconds(here.slowMs)}`}`]
      : []),
    ...(anonymous.state === 'unseen' && anonymous.reason === 'unreachable' ? [`request directly to an endpoint: ${anonymous.words}`] : []),
    ...(proxied && proxyAnswered(snapshot) ? [`request through the service proxy: ${proxied.status}`] : []),
    ...(serviceProxy.state === 'unseen' && serviceProxy.reason === 'unreachable'
      ? [`request through the service proxy: ${serviceProxy.words}`]
      : []),
  ];
}

/** A duration for humans. @param ms milliseconds */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
