import { readFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type ControlPlaneFiles, readAuthority, servingCertificate } from '../shared/credentials.ts';
import { nodeName } from './api.ts';
import type { ContainerLog } from './log.ts';
import { findPod, type PodOnNode, type PodRegistry } from './registry.ts';

/** The common name of kube-apiserver's client certificate, `files.kubeletClient`. */
const apiserverName = 'kube-apiserver-kubelet-client';

/**
 * Answers the requests that kube-apiserver makes to a kubelet
 * (k8s.io/kubernetes/pkg/kubelet/server/server.go): `GET
 * /containerLogs/<namespace>/<pod>/<container>`. The caller has authorized them.
 * @param pods - the node maintains them
 */
export const createKubelet =
  (pods: PodRegistry): RequestListener =>
  (request, response) =>
    void answer(pods, request, response);

/**
 * Serves a kubelet over HTTPS to kube-apiserver only, on a port that the operating system picks.
 * @param files both sides trust their CA
 * @param address one of this host
 */
export async function serveKubelet(
  kubelet: RequestListener,
  files: Pick<ControlPlaneFiles, 'ca'>,
  address: string,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const authority = await readAuthority(files.ca);
  const { certificates, key } = await servingCertificate(authority, `system:node:${nodeName}`, [nodeName, address], new Date());
  const tls = { cert: certificates, key: key.reveal(), ca: await readFile(files.ca.cert), requestCert: true, rejectUnauthorized: false };
  const server = createServer(tls, (request, response) => {
    if (isApiserver(request)) kubelet(request, response);
    else response.writeHead(401, { 'content-type': 'text/plain; charset=utf-8' }).end('Unauthorized');
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const isApiserver = ({ socket }: IncomingMessage): boolean =>
  socket instanceof TLSSocket && socket.authorized && socket.getPeerCertificate().subject?.CN === apiserverName;

function answer(pods: PodRegistry, request: IncomingMessage, response: ServerResponse): unknown {
  const send = (status: number, text: string): unknown =>
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
  const target = readTarget(request);
  if (!target) return send(400, '400: Bad Request');
  const { query, parts } = target;
  const [what, namespace = '', name = '', container = ''] = parts;
  if (request.method !== 'GET') return send(405, '405: Method Not Allowed');
  if (what !== 'containerLogs') return send(404, '404: Page Not Found');
  const pod = findPod(pods, namespace, name);
  if (!pod) return send(404, `pod "${name}" does not exist`);
  const log = selectLog(pod, container, query.get('previous') === 'true');
  return 'message' in log ? send(log.status, log.message) : sendLog(log, query, response);
}

/** @returns undefined for a malformed URL */
function readTarget({ url = '/' }: IncomingMessage): { readonly query: URLSearchParams; readonly parts: readonly string[] } | undefined {
  try {
    const { pathname, searchParams } = new URL(url, 'http://kubelet');
    return { query: searchParams, parts: pathname.split('/').slice(1).map(decodeURIComponent) };
  } catch {
    return undefined;
  }
}

/**
 * Selects the log of a container; for one that does not run, the log of its last run.
 * @returns otherwise an error of the kubelet (k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go,
 * validateContainerLogStatus)
 */
export function selectLog(
  { object, containers }: PodOnNode,
  name: string,
  previous: boolean,
): ContainerLog | { readonly status: number; readonly message: string } {
  const pod = object.metadata.name;
  const container = containers.find((each) => each.name === name);
  if (!container) return { status: 404, message: `container "${name}" not found in pod "${pod}"` };
  const { state, last } = container;
  if (previous && !last) return { status: 400, message: `previous terminated container "${name}" in pod "${pod}" not found` };
  if (state.kind === 'running' && !previous) return state.log;
  if (last) return last.log;
  const reason = state.kind === 'waiting' ? state.reason : 'ContainerCreating';
  return { status: 400, message: `container "${name}" in pod "${pod}" is waiting to start: ${reason}` };
}

/** Sends the last `tailLines`. With `follow`, continues until the log ends or the client closes. */
function sendLog({ lines, closed, follow }: ContainerLog, query: URLSearchParams, response: ServerResponse): void {
  const tail = query.get('tailLines');
  const send = (line: string): unknown => response.write(`${line}\n`);
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.flushHeaders();
  for (const line of tail ? lines.slice(Math.max(0, lines.length - Number(tail))) : lines) send(line);
  if (query.get('follow') !== 'true' || closed) return void response.end();
  response.once(
    'close',
    follow((line) => (line === undefined ? response.end() : send(line))),
  );
}
