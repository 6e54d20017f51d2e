import { getObject, listObjects, slicesOf } from '../cluster/objects.ts';
import { resources } from '../cluster/resources.ts';
import { serverNameOf } from '../config/registration.ts';
import type { KubeObject } from '../manifests/types.ts';
import type { CertificateInfo } from '../pki/types.ts';
import type { CollectContext } from '../snapshot/collect/context.ts';
import { listPods } from '../snapshot/collect/pods.ts';
import { probeEndpoints } from '../snapshot/collect/probe.ts';
import { type ApiServerSays, type JudgedProbe, judgeEndpoints } from '../snapshot/endpoint-evidence.ts';
import { dialTargets, everyTarget, type Target } from '../snapshot/targets.ts';
import { viewEndpoints, viewService } from '../snapshot/views.ts';

/**
 * In milliseconds. kubelet updates a mounted Secret within 60 to 90 seconds (syncFrequency and its
 * jitter: pkg/kubelet/pod_workers.go). A server that reloads reads it shortly after.
 */
export const reloadMs = 100_000;

/** The certificate that every endpoint of a Service must serve. */
export interface ServedRequest {
  readonly namespace: string;
  readonly service: string;
  /** Port of the Service. */
  readonly port: number;
  /** The CAs that must verify it. */
  readonly roots: readonly CertificateInfo[];
  /** SHA-256 of the only certificate that is accepted. */
  readonly leaf?: string | undefined;
  /** The time of kube-apiserver, where it is known. */
  readonly now?: Date;
}

/** What was seen at one moment. */
export interface Served {
  readonly probes: readonly JudgedProbe[];
  /** Pods without an address yet, in words. */
  readonly waiting: readonly string[];
  /** The pods that the Service selects. Read only by `servedByAll`. */
  readonly pods: readonly KubeObject[];
}

/**
 * The condition of the APIService does not count, because it may describe the previous certificate.
 */
const notAsked: ApiServerSays = { api: 'unknown', faults: [] };

/** Looks at the ready endpoints of a Service, to which kube-apiserver sends requests now. */
export async function servedByReady(context: CollectContext, request: ServedRequest): Promise<Served> {
  const { service, endpoints } = await readService(context, request);
  const targets = service ? dialTargets(viewService(service), endpoints, request.port) : [];
  return { probes: await judge(context, request, targets), waiting: [], pods: [] };
}

/**
 * Looks at everything that may serve requests now or later: every pod that the Service selects,
 * also one that is not ready or is being deleted, and every endpoint that is not a pod.
 * @throws ClusterError when the user may not list the pods
 */
export async function servedByAll(context: CollectContext, request: ServedRequest): Promise<Served> {
  const { service, endpoints } = await readService(context, request);
  if (!service) return { probes: [], waiting: [], pods: [] };
  const view = viewService(service);
  const selector = { matchLabels: view.selector };
  const pods =
    Object.keys(view.selector).length > 0
      ? await listPods(context.cluster, { namespace: request.namespace, selector }, context.signal)
      : [];
  const { targets, waiting, serving } = everyTarget(view, { pods, endpoints, port: request.port });
  return { probes: await judge(context, request, targets), waiting, pods: serving };
}

async function readService({ cluster, signal }: CollectContext, { namespace, service: name }: ServedRequest) {
  const [service, slices] = await Promise.all([
    getObject(cluster, { resource: resources.Service, namespace, name }, signal),
    listObjects(cluster, slicesOf({ namespace, name }), signal),
  ]);
  return { service, endpoints: slices.flatMap(viewEndpoints) };
}

async function judge(context: CollectContext, request: ServedRequest, targets: readonly Target[]): Promise<readonly JudgedProbe[]> {
  const { namespace, service: name, roots, leaf, now = new Date() } = request;
  const hostname = serverNameOf({ namespace, name });
  const probes = await probeEndpoints(context, { namespace, name }, targets);
  return judgeEndpoints(probes, { roots, hostname, now, ...(leaf ? { leaf } : {}) }, notAsked);
}

/** `10.0.0.1:443 (pod x): connection refused`. */
export function describeServed({ at, handshake }: JudgedProbe): string {
  if (handshake.kind === 'failed') return `${at}: ${handshake.words}`;
  const [leaf] = handshake.certificates;
  const name = leaf && (leaf.subject || leaf.dnsNames.join(', '));
  return leaf ? `${at}: serves ${name} (SHA-256 ${leaf.fingerprint}), signed by ${leaf.issuer}` : `${at}: serves no certificate`;
}
