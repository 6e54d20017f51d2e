import type { ServerResponse } from 'node:http';
import { sendFailure } from '../shared/answer.ts';
import { ApiFailure, badRequest, notFound } from '../shared/failure.ts';
import type { RequestInfo } from '../shared/request-info.ts';
import { podKind } from './lookup.ts';
import type { Call, Obj, Simulation, UpgradeCall } from './types.ts';

const logOptions = ['follow', 'previous', 'timestamps', 'sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes', 'stream'];

/**
 * Answers pods/NAME/log by the kubelet (k8s.io/kubernetes/pkg/registry/core/pod/strategy.go,
 * LogLocation).
 * @throws ApiFailure 400, 404
 */
export function answerLog({ store, kubelet }: Simulation, { request, response, url, info }: Call): void {
  const pod = podOf(store, info);
  const container = containerOf(pod, url.searchParams.get('container') ?? '');
  // A pod that is on no node yet has no log.
  if (!pod.spec.nodeName) return void response.writeHead(204).end();
  const query = new URLSearchParams([...url.searchParams].filter(([name, value]) => logOptions.includes(name) && value !== ''));
  request.url = `/containerLogs/${info.namespace}/${info.name}/${container}?${query}`;
  kubelet.answer(request, asStatus(response, info.name));
}

/**
 * Hands pods/NAME/portforward to the kubelet (as before, PortForwardLocation).
 * @throws ApiFailure 400, 404
 */
export function upgradePortForward({ store, kubelet }: Simulation, { request, socket, head, url, info }: UpgradeCall): void {
  const pod = podOf(store, info);
  if (!pod.spec.nodeName) throw badRequest(`pod ${info.name} does not have a host assigned`);
  const ports = url.searchParams.getAll('ports').join(',');
  request.url = `/portForward/${info.namespace}/${info.name}${ports === '' ? '' : `?port=${encodeURIComponent(ports)}`}`;
  kubelet.upgrade(request, socket, head);
}

function podOf(store: Simulation['store'], { namespace, name }: RequestInfo): Obj {
  const pod = store.get(podKind, namespace, name);
  if (!pod) throw notFound(podKind, name);
  return pod;
}

/** The only one, when no name is given. */
function containerOf({ metadata, spec }: Obj, wanted: string): string {
  const names = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])].map(({ name }: Obj) => name);
  if (wanted !== '') {
    if (!names.includes(wanted)) throw badRequest(`container ${wanted} is not valid for pod ${metadata.name}`);
    return wanted;
  }
  if (spec.containers.length === 1) return spec.containers[0].name;
  throw badRequest(`a container name must be specified for pod ${metadata.name}, choose one of: [${names.join(' ')}]`);
}

/**
 * A kubelet says in text what went wrong; kube-apiserver makes a Status of it
 * (k8s.io/apiserver/pkg/registry/generic/rest/response_checker.go).
 * @returns the response itself, which does so from now on
 */
function asStatus(response: ServerResponse, pod: string): ServerResponse {
  const { writeHead, write, end } = response;
  const restore = (): unknown => Object.assign(response, { writeHead, write, end });
  const answer = (code: number, ...rest: never[]): ServerResponse => {
    restore();
    if (code < 300) return response.writeHead(code, ...rest);
    const chunks: unknown[] = [];
    const finish = (chunk?: unknown): ServerResponse => {
      restore();
      const text = [...chunks, chunk].filter((part) => typeof part === 'string' || part instanceof Uint8Array).join('');
      sendFailure(response, kubeletFailure(code, text, pod));
      return response;
    };
    return Object.assign(response, { write: (chunk: unknown) => chunks.push(chunk) > 0, end: finish });
  };
  const begin = (): ServerResponse => answer(response.statusCode);
  return Object.assign(response, {
    writeHead: answer,
    write: (...args: [never]) => begin().write(...args),
    end: (...args: [never]) => begin().end(...args),
  });
}

function kubeletFailure(code: number, text: string, pod: string): ApiFailure {
  if (code === 400) return badRequest(text);
  if (code === 500) return new ApiFailure(500, 'InternalError', `Internal error occurred: ${text}`, { causes: [{ message: text }] });
  const what =
    code === 404
      ? 'the server could not find the requested resource'
      : `the server responded with the status code ${code} but did not return more information`;
  return new ApiFailure(code, code === 404 ? 'NotFound' : 'Unknown', `${what} ( pods/log ${pod})`, { name: pod, kind: 'pods/log' });
}
