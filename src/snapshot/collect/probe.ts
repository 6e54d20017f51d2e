import { dialEndpoint } from '../../cluster/dial.ts';
import { serverNameOf } from '../../config/registration.ts';
import { describeTarget, type Target } from '../targets.ts';
import type { EndpointProbe } from '../types.ts';
import type { CollectContext } from './context.ts';

/**
 * Makes a TLS handshake with each endpoint of a Service, with the server name that kube-apiserver
 * uses.
 * @returns the probes in the order of the targets
 * @throws as `dialEndpoint`
 */
export function probeEndpoints(
  { cluster, dials, signal }: CollectContext,
  service: { readonly namespace: string; readonly name: string },
  targets: readonly Target[],
): Promise<readonly EndpointProbe[]> {
  const { namespace } = service;
  const serverName = serverNameOf(service);
  return Promise.all(
    targets.map(async (target): Promise<EndpointProbe> => {
      const { via, noForward, ...handshake } = await dials(() => dialEndpoint(cluster, { ...target, namespace, serverName }, signal));
      return { at: describeTarget(target), pod: target.pod, via, ...(noForward === undefined ? {} : { noForward }), handshake };
    }),
  );
}
