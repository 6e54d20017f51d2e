import type { Backend } from './backends.ts';
import { backendAddress } from './backends.ts';
import { kubectl } from './commands.ts';
import { kubectlOk } from './projects.ts';

/** A registration by hand, sound unless a part is replaced. Everything is named after the Service. */
export interface HandMade {
  readonly namespace: string;
  readonly service: string;
  readonly port: Backend['port'];
  /** PEM. */
  readonly ca: string;
  /** Replace or add fields; `undefined` takes one away. */
  readonly apiServiceSpec?: object;
  /** Labels and annotations. */
  readonly apiServiceMetadata?: object;
  readonly servicePort?: object;
  readonly slicePort?: object;
  readonly ready?: boolean;
  /** Where the server listens; the host's end of the cable to the cluster at hand without it. */
  readonly host?: string;
  /** Replace or add fields of the Service. */
  readonly serviceSpec?: object;
}

/** `v1.<service>.example.com`, which `Service <service>` serves. */
export const groupOf = (service: string): string => `${service}.example.com`;
export const apiServiceNameOf = (service: string): string => `v1.${groupOf(service)}`;

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The objects of a registration by hand: a Service without selector, its EndpointSlice, the APIService. */
export function handMade({ namespace, service: name, port, ca, ready = true, host = backendAddress, ...change }: HandMade) {
  return {
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { ports: [{ port: 443, targetPort: port, ...change.servicePort }], ...change.serviceSpec },
    },
    slice: {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [host], conditions: { ready } }],
      ports: [{ name: '', port, protocol: 'TCP', ...change.slicePort }],
    },
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

/** Available conditions by name of the APIService, as `<status> <reason> <message>`. */
export async function conditions(): Promise<Map<string, string>> {
  const { items } = JSON.parse(await kubectlOk(['get', 'apiservices', '-o', 'json']));
  // biome-ignore lint/suspicious/noExplicitAny: objects as kubectl prints them.
  const written = items.flatMap(({ metadata, status }: any) =>
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    (status?.conditions ?? []).map((each: any) => [metadata.name, `${each.status} ${each.reason} ${each.message}`]),
  );
  return new Map(written);
}

export const deleteApiServices = (...names: string[]) => kubectl(['delete', 'apiservices', '--ignore-not-found', ...names]);

/** What the Available condition says of a server that is not served: reason and the words of the probe. */
export const failed = (words: string): RegExp => new RegExp(`^False FailedDiscoveryCheck .*${words}`);
/** What it says of one that is. */
export const passed = /^True Passed/;
