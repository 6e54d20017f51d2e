import { badRequest, notFound } from '../shared/failure.ts';
import { podKind } from './lookup.ts';
import type { Call, Obj, Simulation } from './types.ts';

/**
 * Lets the kubelet answer pods/NAME/log
 * (k8s.io/kubernetes/pkg/registry/core/pod/strategy.go, LogLocation).
 * @returns whether the request was for a log
 * @throws ApiFailure 400, 404
 */
export function answerLog({ store, kubelet }: Simulation, { request, response, url, info }: Call): boolean {
  const { group, resource, subresource, namespace, name } = info;
  if (group !== '' || resource !== 'pods' || subresource !== 'log') return false;
  const pod = store.get(podKind, namespace, name);
  if (!pod) throw notFound(podKind, name);
  const container = containerOf(pod, url.searchParams.get('container') ?? '');
  // A pod that is not scheduled has no log.
  if (!pod.spec.nodeName) response.writeHead(204).end();
  else {
    request.url = `/containerLogs/${namespace}/${name}/${container}${url.search}`;
    kubelet(request, response);
  }
  return true;
}

/** @param wanted - empty for the only one */
function containerOf({ metadata, spec }: Obj, wanted: string): string {
  const names: string[] = [...(spec.initContainers ?? []), ...spec.containers].map(({ name }: Obj) => name);
  const [only = ''] = names;
  if (wanted === '' && names.length === 1) return only;
  if (names.includes(wanted)) return wanted;
  throw badRequest(`container ${wanted || 'name'} is not valid for pod ${metadata.name}, choose one of: [${names.join(' ')}]`);
}
