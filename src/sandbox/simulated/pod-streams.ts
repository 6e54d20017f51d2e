import { badRequest, notFound } from '../shared/failure.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { podKind } from './lookup.ts';
import type { Call, Obj, Simulation, UpgradeCall } from './types.ts';

const logOptions = ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream'];

const isOfPod = ({ group, resource, subresource }: RequestInfo, wanted: string): boolean =>
  group === '' && resource === 'pods' && subresource === wanted;

/**
 * Lets the kubelet answer pods/NAME/log
 * (k8s.io/kubernetes/pkg/registry/core/pod/strategy.go, LogLocation).
 * @returns whether the request was for a log
 * @throws ApiFailure 400, 404
 */
export function answerLog({ store, kubelet }: Simulation, { request, response, url, info }: Call): boolean {
  if (!isOfPod(info, 'log')) return false;
  const pod = podOf(store, info);
  const container = containerOf(pod, url.searchParams.get('container') ?? '');
  // A pod that is not scheduled has no log.
  if (!pod.spec.nodeName) response.writeHead(204).end();
  else {
    const query = new URLSearchParams([...url.searchParams].filter(([name, value]) => logOptions.includes(name) && value !== ''));
    request.url = `/containerLogs/${info.namespace}/${info.name}/${container}?${query}`;
    kubelet.answer(request, response);
  }
  return true;
}

/**
 * Hands pods/NAME/portforward to the kubelet (same file, PortForwardLocation).
 * @returns whether the request was for it
 * @throws ApiFailure 400, 404
 */
export function upgradePortForward({ store, kubelet }: Simulation, { request, socket, head, url, info }: UpgradeCall): boolean {
  if (!isOfPod(info, 'portforward')) return false;
  if (!podOf(store, info).spec.nodeName) throw badRequest(`pod ${info.name} does not have a host assigned`);
  const ports = url.searchParams.getAll('ports').join(',');
  request.url = `/portForward/${info.namespace}/${info.name}?port=${encodeURIComponent(ports)}`;
  kubelet.upgrade(request, socket, head);
  return true;
}

function podOf(store: Simulation['store'], { namespace, name }: RequestInfo): Obj {
  const pod = store.get(podKind, namespace, name);
  if (!pod) throw notFound(podKind, name);
  return pod;
}

/** @param wanted - empty for the only one */
function containerOf({ metadata, spec }: Obj, wanted: string): string {
  const names: string[] = [...(spec.initContainers ?? []), ...spec.containers].map(({ name }: Obj) => name);
  const [only = ''] = names;
  if (wanted === '' && names.length === 1) return only;
  if (names.includes(wanted)) return wanted;
  throw badRequest(`container ${wanted || 'name'} is not valid for pod ${metadata.name}, choose one of: [${names.join(' ')}]`);
}
