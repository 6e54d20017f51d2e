import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Kubelet } from '../shared/kubelet.ts';
import { LogUnavailable, readLogQuery, selectLog, sendLog } from './container-logs.ts';
import { findPod, type PodRegistry } from './registry.ts';

/** The kubelet of the sandbox's node. `server` answers for the pods that the node adds to `pods`. */
export interface SandboxKubelet {
  readonly server: Kubelet;
  readonly pods: PodRegistry;
}

export function createKubelet(): SandboxKubelet {
  const pods: PodRegistry = new Map();
  return { pods, server: { answer: (request, response) => answer(pods, request, response) } };
}

interface Target {
  readonly url: URL;
  readonly parts: readonly string[];
}

/** Undefined for a malformed URL. */
function readTarget({ url: target = '/' }: IncomingMessage): Target | undefined {
  try {
    const url = new URL(target, 'http://kubelet');
    return { url, parts: url.pathname.split('/').slice(1).map(decodeURIComponent) };
  } catch {
    return undefined;
  }
}

function answer(pods: PodRegistry, request: IncomingMessage, response: ServerResponse): unknown {
  const send = (status: number, text: string): unknown =>
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
  const target = readTarget(request);
  if (!target) return send(400, '400: Bad Request');
  const { url, parts } = target;
  const [what, namespace = '', name = '', container = ''] = parts;
  if (request.method !== 'GET') return send(405, '405: Method Not Allowed');
  if (url.pathname === '/healthz') return send(200, 'ok');
  if (what !== 'containerLogs') return send(404, '404: Page Not Found');
  const pod = findPod(pods, namespace, name);
  if (!pod) return send(404, `pod "${name}" does not exist`);
  try {
    const log = selectLog(pod, container, url.searchParams.get('previous') === 'true');
    return sendLog(log, readLogQuery(url.searchParams, new Date()), response);
  } catch (error) {
    if (!(error instanceof LogUnavailable)) throw error;
    return send(error.status, error.message);
  }
}
