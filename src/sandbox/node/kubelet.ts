import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Kubelet } from '../shared/kubelet.ts';
import { chooseLog, NoLog, readLogQuery, sendLog } from './container-logs.ts';
import { upgradeToForward } from './port-forward.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import { findPod, type PodOnNode, type PodRegistry } from './registry.ts';
import { machineUsage, resourceMetrics } from './resource-metrics.ts';

/** The kubelet of the sandbox's node: `server` answers for the pods that the node puts into `pods`. */
export interface SandboxKubelet {
  readonly server: Kubelet;
  readonly pods: PodRegistry;
}

export function createKubelet(): SandboxKubelet {
  const pods: PodRegistry = new Map();
  return {
    pods,
    server: { answer: (request, response) => answer(pods, request, response), upgrade: (...upgraded) => upgrade(pods, ...upgraded) },
  };
}

const urlOf = ({ url = '/' }: IncomingMessage): URL => new URL(url, 'http://kubelet');
const partsOf = ({ pathname }: URL): string[] => pathname.split('/').slice(1).map(decodeURIComponent);

/** The request of somebody whose URL is none gets undefined. */
function readUrl(request: IncomingMessage): { readonly url: URL; readonly parts: string[] } | undefined {
  try {
    const url = urlOf(request);
    return { url, parts: partsOf(url) };
  } catch {
    return undefined;
  }
}

function answer(pods: PodRegistry, request: IncomingMessage, response: ServerResponse): unknown {
  const plain = (status: number, text: string): unknown =>
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
  const read = readUrl(request);
  if (!read) return plain(400, '400: Bad Request');
  const { url } = read;
  const [what, namespace = '', name = '', container = ''] = read.parts;
  if (request.method !== 'GET') return plain(405, '405: Method Not Allowed');
  if (url.pathname === '/healthz') return plain(200, 'ok');
  if (url.pathname === '/metrics/resource') return plain(200, resourceMetrics(pods, machineUsage(), new Date()));
  if (what !== 'containerLogs') return plain(404, '404: Page Not Found');
  const pod = findPod(pods, namespace, name);
  if (!pod) return plain(404, `pod "${name}" does not exist`);
  try {
    const log = chooseLog(pod, container, url.searchParams.get('previous') === 'true');
    return sendLog(log, readLogQuery(url.searchParams, new Date()), response);
  } catch (error) {
    if (!(error instanceof NoLog)) throw error;
    return plain(error.status, error.message);
  }
}

function upgrade(pods: PodRegistry, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const [what, namespace = '', name = ''] = readUrl(request)?.parts ?? [];
  const pod: PodOnNode | undefined = what === 'portForward' ? findPod(pods, namespace, name) : undefined;
  if (pod) upgradeToForward(pod, request, socket, head);
  else refuseUpgrade(socket, '404 Not Found', what === 'portForward' ? 'pod does not exist' : '404: Page Not Found');
}
