import type { EndpointView, ServiceView } from './types.ts';

/** An address that kube-apiserver may connect to. */
export interface Target {
  readonly address: string;
  readonly port: number;
  /** Name of the pod with this address, if any. */
  readonly pod: string | undefined;
}

/** `10.0.0.1:443`, `[fd00::1]:443`. */
const formatAddress = (address: string, port: number): string => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`);

/** `10.0.0.1:443 (pod x)`. */
export const describeTarget = ({ address, port, pod }: Target): string => `${formatAddress(address, port)}${pod ? ` (pod ${pod})` : ''}`;

/**
 * The addresses behind a port of a Service: its ready endpoints at the port of the same name
 * (k8s.io/apiserver/pkg/util/proxy/proxy.go, ResolveEndpoint), or the external name.
 */
export function dialTargets({ type, externalName, ports }: ServiceView, endpoints: readonly EndpointView[], port: number): Target[] {
  if (type === 'ExternalName') return externalName ? [{ address: externalName, port, pod: undefined }] : [];
  const name = ports.find((each) => each.port === port)?.name;
  if (name === undefined) return [];
  return endpoints
    .filter(({ ready }) => ready)
    .flatMap(({ address, pod, ports: own }) => own.filter((each) => each.name === name).map((each) => ({ address, port: each.port, pod })));
}
