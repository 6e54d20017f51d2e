import type { KubeObject } from '../manifests/types.ts';
import type { EndpointView, ServiceView } from './types.ts';
import { type Json, listOf, textOf } from './views.ts';

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

/** What may serve requests of a Service, and what it will do so soon. */
export interface EveryTarget {
  readonly targets: readonly Target[];
  /** Pods that have no address yet, in words. */
  readonly waiting: readonly string[];
  /** The pods that have not ended. */
  readonly serving: readonly KubeObject[];
}

interface Candidates {
  /** The pods that the Service selects. */
  readonly pods: readonly KubeObject[];
  readonly endpoints: readonly EndpointView[];
  /** Port of the Service. */
  readonly port: number;
}

/**
 * The addresses of every pod of a Service that has not ended, and of every endpoint that is none of
 * these pods. A pod that is not ready may become ready, and one that is being deleted still answers
 * requests on kept connections.
 */
export function everyTarget(service: ServiceView, { pods, endpoints, port }: Candidates): EveryTarget {
  const wanted = service.ports.find((each) => each.port === port);
  const serving = pods.filter(({ status }: KubeObject & Json) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  const ofPods = serving.flatMap((pod) => endpointOf(pod, endpoints, wanted?.name) ?? targetOf(pod, wanted?.targetPort) ?? []);
  const names = new Set(pods.map(({ metadata }) => metadata.name));
  const others = dialTargets(
    service,
    endpoints.filter(({ pod }) => pod === undefined || !names.has(pod)).map((each) => ({ ...each, ready: true })),
    port,
  );
  const waiting = serving.filter(({ status }: KubeObject & Json) => !status?.podIP);
  return {
    targets: [...ofPods.filter(({ address }) => address !== ''), ...others],
    waiting: waiting.map(({ metadata, status }: KubeObject & Json) => `pod ${metadata.name} is ${textOf(status?.phase) || 'Pending'}`),
    serving,
  };
}

/**
 * The endpoint of a pod, as kube-apiserver uses it. The pods of `apisvc sandbox` share an address,
 * so the port in a pod may be another one on this host.
 */
function endpointOf({ metadata, status }: KubeObject & Json, endpoints: readonly EndpointView[], name: string | undefined) {
  const own = endpoints.filter(({ pod, address }) => pod === metadata.name && address === status?.podIP);
  const port = own.flatMap(({ ports }) => ports).find((each) => each.name === name)?.port;
  return port === undefined ? undefined : { address: textOf(status?.podIP), port, pod: metadata.name };
}

/** @returns undefined for a pod without the named port: it is no endpoint of the Service */
function targetOf({ metadata, spec, status }: KubeObject & Json, targetPort = ''): Target | undefined {
  const containers = [...listOf(spec?.containers), ...listOf(spec?.initContainers)];
  const named = containers.flatMap(({ ports }) => listOf(ports)).find(({ name }) => name === targetPort)?.containerPort;
  const port = /^\d+$/.test(targetPort) ? Number(targetPort) : Number(named ?? 0);
  return port > 0 ? { address: textOf(status?.podIP), port, pod: metadata.name } : undefined;
}
