import { badRequest, notFound } from '../shared/failure.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { podKind } from './lookup.ts';
import type { Call, Obj, Simulation } from './types.ts';

const logOptions = ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream'];

const isLog = ({ group, resource, subresource }: RequestInfo): boolean => group === '' && resource === 'pods' && subresource === 'log';

/**
 * Lets the kubelet answer pods/NAME/log
 * (k8s.io/kubernetes/pkg/registry/core/pod/strategy.go, LogLocation).
 * @returns whether the request was for a log
 * @throws ApiFailure 400, 404
 */
export function answerLog({ store, kubelet }: Simulation, { request, response, url, info }: Call): boolean {
  if (!isLog(info)) return false;
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
