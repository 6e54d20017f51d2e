import { dialEndpoint } from '../../cluster/dial.ts';
import { seen } from '../observed.ts';
import type { ApiServiceView, ApiSnapshot } from '../types.ts';
import type { Backend } from './backend.ts';
import type { CollectContext } from './context.ts';

/**
 * Whether the availability check of kube-apiserver sends a server name: since Kubernetes 1.36
 * (k8s.io/kube-aggregator/pkg/controllers/status/remote/remote_available_controller.go;
 * kubernetes/kubernetes#137157). Before, it sends none, because its URL has an IP address, which
 * RFC 6066 does not allow as a server name.
 * @param version such as v1.37.2
 */
export function sendsServerName(version: string): boolean {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 1 || Number(minor) >= 36;
}

/**
 * Makes the TLS handshake with one endpoint without a server name. Only where this can tell why
 * another handshake fails: that of the availability check, or the one with a server name.
 * @returns undefined where it tells nothing
 * @throws the reason of the signal
 */
export async function handshakeWithoutName(
  { cluster, dials, signal }: CollectContext,
  { service: ref, available }: ApiServiceView,
  { service, probes, targets }: Backend,
  version: Promise<string | undefined>,
): Promise<ApiSnapshot['nameless']> {
  if (!ref || seen(service)?.type === 'ExternalName') return undefined;
  const fails = available?.status === 'False' && available.reason === 'FailedDiscoveryCheck';
  const known = await version;
  const nameless = fails && known !== undefined && !sendsServerName(known);
  const probed = seen(probes) ?? [];
  const index = probed.findIndex(({ handshake }) =>
    handshake.kind === 'served' ? nameless : handshake.fault === 'reset' || handshake.fault === 'other',
  );
  const [probe, target] = [probed[index], targets[index]];
  if (!probe || !target) return undefined;
  const { namespace } = ref;
  const {
    via: _,
    noForward: __,
    ...handshake
  } = await dials(() => dialEndpoint(cluster, { ...target, namespace, serverName: '' }, signal));
  return { at: probe.at, handshake };
}
