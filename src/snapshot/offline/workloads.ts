import type { KubeObject } from '../../manifests/types.ts';
import { entryAt, secretMounts } from '../secret-mounts.ts';
import { type Container, containersOf, flagsOf, flagValue } from '../server-flags.ts';
import { hasNamedPairs, serviceAccountOf, servingContainer } from '../server-view.ts';
import type { ServiceView } from '../types.ts';
import { type Json, listOf, textOf, textsOf, viewService } from '../views.ts';
import { volumeAt } from '../volumes.ts';
import { type OfflineObjects, podOf, workloadKinds } from './objects.ts';

/** Which workload of the files serves, and how. */

/** A workload, and the pod that it creates. */
export interface Workload {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly pod: KubeObject;
  /** Undefined where it is not set: 1. */
  readonly replicas: unknown;
}

/** @param namespace the one of a manifest without a namespace */
const viewWorkload = (object: KubeObject & Json, namespace: string): Workload => {
  const { kind, metadata } = object;
  const pod = { name: metadata.name, namespace: metadata.namespace ?? namespace };
  return {
    kind,
    ...pod,
    replicas: object.spec?.replicas,
    pod: { apiVersion: 'v1', kind: 'Pod', metadata: pod, spec: podOf(object).spec } as KubeObject,
  };
};

/**
 * The workloads whose pods a Service selects. The first one serves: it has a container with the
 * target port, if any has.
 */
export function selectedWorkloads(
  objects: OfflineObjects,
  namespace: string,
  { selector }: ServiceView,
  targetPort: string | undefined,
): readonly Workload[] {
  const selected = objects.workloads(namespace, selector).map((object) => viewWorkload(object, namespace));
  const rank = ({ pod }: Workload): number => (targetPort !== undefined && portsOf(pod).includes(targetPort) ? 0 : 1);
  return selected.toSorted((one, other) => rank(one) - rank(other));
}

/** Names and numbers of the TCP ports of a pod, and the ports in the flags of its servers. */
function portsOf(pod: KubeObject): string[] {
  const containers = runningContainers(pod);
  const flags = containers.flatMap((container) => flagValue(flagsOf(container), 'secure-port') ?? []);
  return [...containers.flatMap(tcpPorts).flatMap(({ name, containerPort }) => [textOf(name), textOf(containerPort)]), ...flags];
}

/** Names of the TCP ports of a pod (k8s.io/kubernetes/pkg/api/v1/pod/util.go, FindPort). */
export const portNames = (pod: KubeObject): string[] =>
  runningContainers(pod)
    .flatMap(tcpPorts)
    .flatMap(({ name }) => textOf(name) || []);

const tcpPorts = ({ ports }: Container): Json[] => listOf(ports).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');

/** The containers of a pod that keep running: sidecars too (KEP-753). */
export const runningContainers = (pod: KubeObject & Json): Container[] => [
  ...containersOf(pod),
  ...listOf(pod.spec?.initContainers).filter(({ restartPolicy }) => restartPolicy === 'Always'),
];

/** The most workloads that a report lists. */
const mostListed = 3;

/** The labels of the workloads in a namespace, one workload a line. */
export const labelsInNamespace = (objects: OfflineObjects, namespace: string): string[] =>
  workloadKinds
    .flatMap((kind) => objects.inNamespace(kind, namespace))
    .slice(0, mostListed)
    .map((object) => {
      const labels = Object.entries(textsOf(podOf(object).metadata?.labels)).map(([key, value]) => `${key}=${value}`);
      return `labels of the pods of ${object.kind} ${namespace}/${object.metadata.name}: ${labels.join(', ') || 'none'}`;
    });

/**
 * Whether the only workload of a namespace has the target port, and no Service selects it: it is
 * the server that a Service misses.
 */
export function isMissed(objects: OfflineObjects, namespace: string, targetPort: string | undefined): boolean {
  const [workload] = workloadKinds.flatMap((kind) => objects.inNamespace(kind, namespace));
  if (!workload || targetPort === undefined || !portsOf(viewWorkload(workload, namespace).pod).includes(targetPort)) return false;
  return !objects
    .inNamespace('Service', namespace)
    .some((service) => objects.workloads(namespace, viewService(service).selector).includes(workload));
}

/** The ServiceAccounts of all workloads, as `<namespace>:<name>`; `:<name>` without a namespace. */
export const accountsInUse = (objects: OfflineObjects): ReadonlySet<string> =>
  new Set(
    workloadKinds
      .flatMap((kind) => objects.all(kind))
      .map((object) => `${object.metadata.namespace ?? ''}:${serviceAccountOf(podOf(object).spec)}`),
  );

/**
 * Whether a server generates its own certificate: `--cert-dir` names a directory that is empty when
 * the pod starts (k8s.io/apiserver/pkg/server/options/serving.go, MaybeDefaultWithSelfSignedCerts).
 * @returns the flag, or undefined where the files do not prove it
 */
export function ownCertificateFlag(pod: KubeObject & Json, targetPort: string | undefined): string | undefined {
  const container = servingContainer(pod, targetPort);
  if (!container) return undefined;
  const flags = flagsOf(container);
  const folder = flagValue(flags, 'cert-dir');
  const others = ['tls-cert-file', 'tls-private-key-file'].some((name) => flagValue(flags, name) !== undefined);
  if (folder === undefined || others || hasNamedPairs(container)) return undefined;
  if (entryAt(secretMounts(pod, container), `${folder}/apiserver.crt`)) return undefined;
  const volume = volumeAt(pod, container, `${folder.replace(/\/+$/, '')}/apiserver.crt`);
  return volume === undefined || (volume.type === 'emptyDir' && !volume.shared) ? `--cert-dir=${folder}` : undefined;
}
