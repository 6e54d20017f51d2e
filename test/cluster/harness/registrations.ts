import { getJson } from './administrator.ts';
import type { Backend } from './backends.ts';
import { backendAddress } from './backends.ts';
import { kubectl } from './commands.ts';

/**
 * A registration that was written by hand. It is valid unless an option replaces a part. All names
 * derive from the name of the Service.
 */
export interface HandMade {
  readonly namespace: string;
  readonly service: string;
  readonly port: Backend['port'];
  /** The ports of more servers behind the same Service. */
  readonly otherPorts?: readonly Backend['port'][];
  /** PEM. */
  readonly ca: string;
  /** Fields to replace or add; `undefined` removes a field. */
  readonly apiServiceSpec?: object;
  /** Labels and annotations. */
  readonly apiServiceMetadata?: object;
  readonly servicePort?: object;
  readonly slicePort?: object;
  readonly ready?: boolean;
  /**
   * The address of the server. The default is the host's address in the network of the current
   * cluster.
   */
  readonly host?: string;
  /** Fields of the Service to replace or add. */
  readonly serviceSpec?: object;
}

/** The API group that the Service of this name serves. */
export const groupOf = (service: string): string => `${service}.example.com`;
export const apiServiceNameOf = (service: string): string => `v1.${groupOf(service)}`;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/**
 * The objects of the registration: a Service without a selector, its EndpointSlice, and the
 * APIService.
 */
export function handMade({ namespace, service: name, port, ca, ready = true, host = backendAddress, ...change }: HandMade) {
  const { otherPorts = [] } = change;
  const sliceOf = (slice: string, at: number) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: slice, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [host], conditions: { ready } }],
    ports: [{ name: '', port: at, protocol: 'TCP', ...change.slicePort }],
  });
  return {
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { ports: [{ port: 443, targetPort: port, ...change.servicePort }], ...change.serviceSpec },
    },
    slice: sliceOf(name, port),
    ...Object.fromEntries(otherPorts.map((each) => [`slice-${each}`, sliceOf(`${name}-${each}`, each)])),
    apiService: {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: apiServiceNameOf(name), ...change.apiServiceMetadata },
      spec: {
        group: groupOf(name),
        version: 'v1',
        groupPriorityMinimum: 1000,
        versionPriority: 15,
        service: { name, namespace, port: 443 },
        caBundle: base64(ca),
        ...change.apiServiceSpec,
      },
    },
  };
}

/** The Available condition of every APIService by name, as `<status> <reason> <message>`. */
export async function conditions(): Promise<Map<string, string>> {
  const { items } = await getJson('/apis/apiregistration.k8s.io/v1/apiservices');
  // biome-ignore lint/suspicious/noExplicitAny: objects as kubectl prints them.
  const written = items.flatMap(({ metadata, status }: any) =>
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    (status?.conditions ?? []).map((each: any) => [metadata.name, `${each.status} ${each.reason} ${each.message}`]),
  );
  return new Map(written);
}

export const deleteApiServices = (...names: string[]) => kubectl(['delete', 'apiservices', '--ignore-not-found', ...names]);

/**
 * Matches the Available condition of an APIService whose discovery check fails with this message.
 */
export const failedWith = (message: string): RegExp => new RegExp(`^False FailedDiscoveryCheck .*${message}`);
/** Matches the Available condition of an APIService that is available. */
export const passed = /^True Passed/;
