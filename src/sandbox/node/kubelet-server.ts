import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Cluster } from '../../cluster/cluster.ts';
import { resourcePath, resources } from '../../cluster/resources.ts';
import { readJson } from '../../cluster/status.ts';
import { bearerToken } from '../shared/bearer.ts';
import { type ControlPlaneFiles, readAuthority, servingCertificate } from '../shared/credentials.ts';
import { nodeName } from './api.ts';
import type { SandboxKubelet } from './kubelet.ts';
import { refuseUpgrade } from './refuse-upgrade.ts';
import type { Json } from './types.ts';

/** Who kube-apiserver is to a kubelet: the common name of its certificate, in files.kubeletClient. */
const apiserverName = 'kube-apiserver-kubelet-client';

export interface KubeletServerOptions {
  readonly kubelet: Pick<SandboxKubelet, 'server'>;
  /** Those of the control plane, whose CA both sides believe. */
  readonly files: Pick<ControlPlaneFiles, 'ca'>;
  /** An address of this machine. */
  readonly address: string;
  /** Is asked who has a token, and what they may do. */
  readonly cluster: Cluster;
}

/**
 * Serves a kubelet over HTTPS, on a port that the system picks, to kube-apiserver and to whoever has a token with the right to the part of the node that a path stands for, as a
 * kubelet with `authentication.webhook` and `authorization.mode: Webhook` does. Nobody is anonymous.
 */
export async function serveKubelet({
  kubelet,
  files,
  address,
  cluster,
}: KubeletServerOptions): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const authority = await readAuthority(files.ca);
  const { certificates, key } = await servingCertificate(authority, `system:node:${nodeName}`, [nodeName, address], new Date());
  const ending = new AbortController();
  const mayEnter = (request: IncomingMessage): Promise<Entry> => enter(request, cluster, ending.signal).catch(() => failed);
  const tls = { cert: certificates, key: key.reveal(), ca: await readFile(files.ca.cert), requestCert: true, rejectUnauthorized: false };
  const server = createServer(tls, async (request, response) => {
    const { status, words } = await mayEnter(request);
    if (status === 200) kubelet.server.answer(request, response);
    else response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(words);
  });
  server.on('upgrade', async (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const { status, words } = await mayEnter(request);
    if (status === 200) kubelet.server.upgrade(request, socket, head);
    else refuseUpgrade(socket, `${status} ${words}`, words);
  });
  // Connections that were upgraded are no longer the server's.
  const sockets = new Set<Socket>();
  server.on('secureConnection', (socket) => sockets.add(socket.once('close', () => sockets.delete(socket))));
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        ending.abort();
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

interface Entry {
  readonly status: number;
  readonly words: string;
}

const entered: Entry = { status: 200, words: 'OK' };
const unauthorized: Entry = { status: 401, words: 'Unauthorized' };
const forbidden: Entry = { status: 403, words: 'Forbidden' };
const failed: Entry = { status: 500, words: 'Internal Error' };

async function enter({ socket, headers, method, url = '/' }: IncomingMessage, cluster: Cluster, signal: AbortSignal): Promise<Entry> {
  if (socket instanceof TLSSocket && socket.authorized && socket.getPeerCertificate().subject?.CN === apiserverName) return entered;
  const token = bearerToken(headers);
  if (token === undefined) return unauthorized;
  const { authenticated, user } = await review(cluster, resources.TokenReview, { token }, signal);
  if (!authenticated) return unauthorized;
  const resourceAttributes = {
    verb: method === 'GET' ? 'get' : 'create',
    version: 'v1',
    resource: 'nodes',
    subresource: partOf(url),
    name: nodeName,
  };
  const { username, groups, uid, extra } = user;
  const { allowed } = await review(
    cluster,
    resources.SubjectAccessReview,
    { user: username, groups, uid, extra, resourceAttributes },
    signal,
  );
  return allowed ? entered : forbidden;
}

/** The subresource of a node that a path belongs to (k8s.io/kubernetes/pkg/kubelet/server/auth.go, GetRequestAttributes). */
const partOf = (url: string): string => (/^\/metrics(\/|\?|$)/.test(url) ? 'metrics' : 'proxy');

async function review(
  cluster: Cluster,
  resource: typeof resources.TokenReview | typeof resources.SubjectAccessReview,
  spec: object,
  signal: AbortSignal,
): Promise<Json> {
  const { apiVersion, kind } = resource;
  const answer = await cluster.request({ method: 'POST', path: resourcePath(resource), body: { apiVersion, kind, spec }, signal });
  return readJson<Json>(cluster, answer).status ?? {};
}
