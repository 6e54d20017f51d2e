import type { Cluster } from '../../cluster/cluster.ts';
import { dialEndpoints } from '../../cluster/dial.ts';
import type { EndpointHandshake } from '../../cluster/handshake.ts';
import { serverNameOf } from '../../config/registration.ts';
import { describeTarget, type Target } from '../targets.ts';
import type { EndpointProbe } from '../types.ts';

/**
 * Makes a TLS handshake with each endpoint of a Service, with the server name that kube-apiserver
 * uses.
 * @throws as `dialEndpoints`
 */
export async function probeEndpoints(
  cluster: Cluster,
  service: { readonly namespace: string; readonly name: string },
  targets: readonly Target[],
  signal: AbortSignal,
): Promise<readonly EndpointProbe[]> {
  const { namespace } = service;
  const serverName = serverNameOf(service);
  const handshakes = await dialEndpoints(
    cluster,
    targets.map((target) => ({ ...target, namespace, serverName })),
    signal,
  );
  return handshakes.map((handshake, index) => viewProbe(targets[index] as Target, handshake));
}

/** @param handshake the result of `dialEndpoint` for the target */
export const viewProbe = (target: Target, { via, noForward, ...handshake }: EndpointHandshake): EndpointProbe => ({
  at: describeTarget(target),
  pod: target.pod,
  via,
  ...(noForward === undefined ? {} : { noForward }),
  handshake,
});
